//! One token has one text: lengths, alphabet and canonical form.

use super::build::{Body, Token, case, ed25519_alone, hex, hmac_alone, one, text, two};

/// Bytes 15 and on become `----____`, the two characters in which the alphabets differ.
const BOTH_MARKS: [u8; 6] = [0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff];

pub(super) fn cases() -> Vec<Token> {
    let mut list = vec![
        case(
            "the golden case",
            "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC",
        ),
        case("the golden case is the same to a verifier that knows version 1 alone", one().text())
            .keys(hmac_alone()),
        case("version 2 of the golden case", two().text()),
        case("version 2 of the golden case with the public key alone", two().text()).keys(ed25519_alone()),
        marks(one(), |text| text).named("both characters of the url alphabet, version 1"),
        marks(two(), |text| text).named("both characters of the url alphabet, version 2"),
    ];
    for (name, body) in [("version 1", one()), ("version 2", two())] {
        let bad = |how: &str, change: fn(String) -> String| {
            marks(body.clone(), change).named(&format!("{how}, {name}")).refused("malformed")
        };
        list.extend([
            bad("+ for -", |text| text.replace('-', "+")),
            bad("/ for _", |text| text.replace('_', "/")),
            bad("percent-encoded _", |text| text.replace('_', "%5F")),
            bad("percent-encoded last character", |text| {
                let last = text.as_bytes()[text.len() - 1];
                format!("{}%{last:02X}", &text[..text.len() - 1])
            }),
        ]);
    }
    list.extend(framed(&one(), "version 1"));
    list.extend(framed(&two(), "version 2"));
    list.extend(remainders());
    list.extend(truncated(&one(), 48));
    list.extend(truncated(&two(), 80));
    list.extend(lengths());
    list
}

fn marks(body: Body, change: fn(String) -> String) -> Token {
    case("", change(body.user(&BOTH_MARKS).text())).user(&BOTH_MARKS)
}

/// What lenient decoders skip, and what comes along when a text is copied.
fn framed(body: &Body, version: &str) -> Vec<Token> {
    let text = body.text();
    let (head, tail) = text.split_at(40);
    let (first, rest) = text.split_at(1);
    let changed = [
        ("a line feed at the end", format!("{text}\n")),
        ("a carriage return at the end", format!("{text}\r")),
        ("CR LF at the end", format!("{text}\r\n")),
        ("a space at the end", format!("{text} ")),
        ("a space at the beginning", format!(" {text}")),
        ("a tab at the end", format!("{text}\t")),
        ("a NUL at the end", format!("{text}\0")),
        ("a line feed in the middle", format!("{head}\n{tail}")),
        ("CR LF in the middle", format!("{head}\r\n{tail}")),
        ("a space in the middle", format!("{head} {tail}")),
        ("a tab in the middle", format!("{head}\t{tail}")),
        ("a NUL in the middle", format!("{head}\0{tail}")),
        ("padding in the middle", format!("{head}={tail}")),
        ("a full stop in the middle", format!("{head}.{tail}")),
        ("a byte order mark at the beginning", format!("\u{feff}{text}")),
        ("a space of no width in the middle", format!("{head}\u{200b}{tail}")),
        ("a no-break space at the end", format!("{text}\u{a0}")),
        ("a Cyrillic A for the first character", format!("\u{410}{rest}")),
        ("a full-width A for the first character", format!("\u{ff21}{rest}")),
        ("a character of the next plane for the first", format!("\u{1d400}{rest}")),
        ("in double quotes", format!("\"{text}\"")),
        ("after a scheme", format!("Bearer {text}")),
        ("four characters too many of padding", format!("{text}====")),
    ];
    let mut list: Vec<_> = changed
        .into_iter()
        .map(|(how, text)| case(format!("{how}, {version}"), text).refused("malformed"))
        .collect();
    list.push(case(format!("in hexadecimal, {version}"), hex(&body.signed())).refused("malformed"));
    let lower = format!("{}{rest}", first.to_lowercase());
    list.push(
        case(format!("another case of the first character, {version}"), lower).refused("unsupported_version"),
    );
    list
}

/// The three remainders of the length by 3: no stray bits, four and two.
fn remainders() -> Vec<Token> {
    let mut list = Vec::new();
    for (body, version, lengths) in [(one(), 1, [1, 2, 3]), (two(), 2, [2, 3, 1])] {
        for (user, stray) in lengths.into_iter().zip([0_u8, 4, 2]) {
            let user = &b"abc"[..user];
            let text = body.clone().user(user).text();
            let of = |how: &str, text: String| {
                case(format!("{how}, version {version} with {stray} stray bits"), text).user(user)
            };
            list.push(of("as it should be", text.clone()));
            list.push(of("one padding character", format!("{text}=")).refused("malformed"));
            list.push(of("two padding characters", format!("{text}==")).refused("malformed"));
            for bit in 0..stray {
                let changed = with_stray_bit(&text, bit);
                list.push(of(&format!("stray bit {bit} set"), changed).refused("malformed"));
            }
        }
    }
    list
}

fn with_stray_bit(text: &str, bit: u8) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|&letter| letter == last.as_bytes()[0]).unwrap();
    format!("{head}{}", char::from(ALPHABET[value | 1 << bit]))
}

/// Cut after every byte: too short for its version, or with other bytes where the signature was.
fn truncated(body: &Body, shortest: usize) -> Vec<Token> {
    let bytes = body.signed();
    let cut = |length: usize| {
        let name = format!("version {} cut to {length} of {} bytes", body.version, bytes.len());
        let code = if length < shortest { "malformed" } else { "bad_signature" };
        case(name, text(&bytes[..length])).refused(code)
    };
    (0..bytes.len()).map(cut).collect()
}

/// The shortest and the longest of each version, and one byte less and more; for verifiers of both versions and of one.
fn lengths() -> Vec<Token> {
    let (least, most, over) = ([7; 1], [7; 128], [7; 129]);
    let fits = |name: &str, body: Body, user: &[u8]| case(name, body.user(user).text()).user(user);
    let not = |name: &str, body: Body, user: &[u8]| case(name, body.user(user).text()).refused("malformed");
    let three = |length: usize| text(&[&[3][..], &vec![0; length - 1]].concat());
    vec![
        fits("version 1 with a user of 1 byte, 64 characters", one(), &least),
        fits("version 1 with a user of 128 bytes, 234 characters", one(), &most),
        fits("version 2 with a user of 1 byte, 107 characters", two(), &least),
        fits("version 2 with a user of 128 bytes, 276 characters", two(), &most),
        not("version 1 without a user, 63 characters", one(), &[]),
        not("version 1 with a user of 129 bytes, 235 characters", one(), &over),
        not("version 1 with a user of 129 bytes where version 2 is not known", one(), &over)
            .keys(hmac_alone()),
        not("version 1 with a user of 160 bytes, as long as version 2 may be", one(), &[7; 160]),
        not("version 1 with a user of 161 bytes", one(), &[7; 161]),
        not("version 2 without a user, 106 characters", two(), &[]),
        not("version 2 with a user of 129 bytes, 278 characters", two(), &over),
        not("version 2 of 276 characters where version 2 is not known", two(), &most).keys(hmac_alone()),
        not("version 2 of 236 characters where version 2 is not known", two(), &[7; 98]).keys(hmac_alone()),
        fits("version 2 of 234 characters where version 2 is not known", two(), &[7; 96])
            .keys(hmac_alone())
            .refused("unsupported_version"),
        case("version 2 of 106 characters where version 2 is not known", two().user(&[]).text())
            .keys(hmac_alone())
            .refused("unsupported_version"),
        case("version 3 of 234 characters", three(175)).refused("unsupported_version"),
        case("version 3 of 235 characters", three(176)).refused("malformed"),
        case("version 3 of 276 characters", three(207)).refused("malformed"),
        case("version 3 of 64 characters", three(48)).refused("unsupported_version"),
        case("version 3 of 63 characters", three(47)).refused("malformed"),
        case("a text of 10,000 characters", "A".repeat(10_000)).refused("malformed"),
        case("64 characters A, version 0", "A".repeat(64)).refused("unsupported_version"),
        case("65 characters, which no bytes have", format!("{}A", one().user(b"a").text()))
            .refused("malformed"),
        case("one character too many after version 1, 85 characters", format!("{}A", one().text()))
            .refused("malformed"),
        // 127 characters are 95 bytes; with one more they are 96, and the signature is at another place.
        case("one character too many after version 2, 128 characters", format!("{}A", two().text()))
            .refused("bad_signature"),
    ]
}
