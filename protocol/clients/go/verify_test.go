package stickertoken

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const (
	golden   = "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC"
	expiry   = 1800086400
	sticker  = 8675309
	sequence = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	keyThree = `{"id":3,"secret":"` + sequence + `","state":"signing"}`
)

var (
	owner     = unhex("018f3c9a1122733384445566778899aa")
	early     = time.Unix(expiry-1, 0)
	seed      = ed25519.NewKeyFromSeed(unhex(sequence))
	keyFour   = fmt.Sprintf(`{"id":4,"algorithm":"ed25519","public":"%x","state":"signing"}`, seed.Public())
	bothKeys  = `{"keys":[` + keyThree + `,` + keyFour + `]}`
	hmacAlone = `{"keys":[` + keyThree + `]}`
)

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

func verifier(t testing.TB, file string) *Verifier {
	t.Helper()
	ring, err := ParseRing([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return NewVerifier(ring)
}

// issue makes a token by a second reading of the specification.
func issue(version byte, key uint16, expires uint32, sticker uint64, user []byte) string {
	body := append([]byte{version}, 0, 0)
	binary.BigEndian.PutUint16(body[1:], key)
	body = binary.BigEndian.AppendUint32(body, expires)
	body = append(binary.BigEndian.AppendUint64(body, sticker), user...)
	signed := append([]byte(fmt.Sprintf("sticker-token-v%d", version)), body...)
	if version == 2 {
		return base64.RawURLEncoding.EncodeToString(append(body, ed25519.Sign(seed, signed)...))
	}
	mac := hmac.New(sha256.New, unhex(sequence))
	mac.Write(signed)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(body))
}

func TestTheGoldenCaseIsAcceptedUntilTheSecondBeforeItsExpiry(t *testing.T) {
	v := verifier(t, hmacAlone)
	if issue(1, 3, expiry, sticker, owner) != golden {
		t.Fatal("the tests issue something else")
	}
	until, err := v.VerifyAt(golden, sticker, owner, early)
	if err != nil || until != time.Unix(expiry, 0) {
		t.Errorf("%v, %v", until, err)
	}
	if _, err := v.VerifyAt(golden, sticker, owner, until); err != Expired {
		t.Error(err)
	}
}

func TestWithoutATimeTheSystemClockCounts(t *testing.T) {
	v := verifier(t, hmacAlone)
	now := uint32(time.Now().Unix())
	if _, err := v.Verify(issue(1, 3, now+3600, sticker, owner), sticker, owner); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(issue(1, 3, now-3600, sticker, owner), sticker, owner); err != Expired {
		t.Error(err)
	}
}

func TestNoSingleFlippedBitIsAccepted(t *testing.T) {
	v := verifier(t, bothKeys)
	for version, text := range map[byte]string{1: golden, 2: issue(2, 4, expiry, sticker, owner)} {
		if _, err := v.VerifyAt(text, sticker, owner, early); err != nil {
			t.Fatal(version, err)
		}
		token, _ := base64.RawURLEncoding.DecodeString(text)
		for bit := 0; bit < 8*len(token); bit++ {
			token[bit/8] ^= 1 << (bit % 8)
			want := BadSignature
			if bit < 8 {
				want = UnsupportedVersion
			} else if bit < 24 {
				want = UnknownKey
			}
			_, err := v.VerifyAt(base64.RawURLEncoding.EncodeToString(token), sticker, owner, early)
			if err != want {
				t.Errorf("version %d, bit %d: %v", version, bit, err)
			}
			token[bit/8] ^= 1 << (bit % 8)
		}
	}
}

func TestOnlyTheCanonicalTextIsAccepted(t *testing.T) {
	v := verifier(t, hmacAlone)
	for length := 1; length <= maxUserLen; length++ {
		user := make([]byte, length)
		text := issue(1, 3, expiry, sticker, user)
		if _, err := v.VerifyAt(text, sticker, user, early); err != nil {
			t.Fatalf("%d bytes: %v", length, err)
		}
		others := []string{text + "=", text + "==", " " + text, text + "\n", "\r\n" + text, text[:9] + "*" + text[10:],
			text + "\x00", text + "é", strings.Repeat(text, 5)}
		if free := len(text) * 6 % 8; free > 0 {
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			last := strings.IndexByte(alphabet, text[len(text)-1])
			others = append(others, text[:len(text)-1]+alphabet[last+1:last+2])
		}
		for _, other := range others {
			if _, err := v.VerifyAt(other, sticker, user, early); err != Malformed {
				t.Errorf("%q: %v", other, err)
			}
		}
		for _, gap := range []string{"\n", "\r", "\r\n", "\n\n", "\n\n\n\n"} {
			for at := 0; at <= len(text); at += 7 {
				if _, err := v.VerifyAt(text[:at]+gap+text[at:], sticker, user, early); err != Malformed {
					t.Errorf("%q at %d: %v", gap, at, err)
				}
			}
		}
	}
	if _, err := v.VerifyAt(strings.NewReplacer("_", "/").Replace(golden), sticker, owner, early); err != Malformed {
		t.Error("the other alphabet:", err)
	}
}

func TestARevokedRightIsRefusedAndAnEntryIsForgottenOnceNothingNeedsIt(t *testing.T) {
	v := verifier(t, hmacAlone)
	for _, until := range []uint32{expiry, expiry - 10} {
		v.Denied.Apply(&Page{Revocations: []Revocation{{User: string(owner), Stickers: []uint64{sticker}, RefuseUntil: until}}})
	}
	if _, err := v.VerifyAt(golden, sticker, owner, early); err != Revoked {
		t.Error(err)
	}
	if _, err := v.VerifyAt(issue(1, 3, expiry+1, sticker, owner), sticker, owner, early); err != nil {
		t.Error("bought again:", err)
	}
	if _, err := v.VerifyAt(issue(1, 3, expiry, sticker, []byte("a")), sticker, []byte("a"), early); err != nil {
		t.Error("another user:", err)
	}
	v.Denied.Apply(&Page{Revocations: []Revocation{{Stickers: []uint64{7}, RefuseUntil: expiry}}})
	if _, err := v.VerifyAt(issue(1, 3, expiry, 7, []byte("a")), 7, []byte("a"), early); err != Revoked {
		t.Error("every user:", err)
	}
	v.Denied.Forget(early)
	if v.Denied.Len() != 2 {
		t.Error(v.Denied.Len())
	}
	v.Denied.Forget(time.Unix(expiry+299, 0))
	if v.Denied.Len() != 2 {
		t.Error(v.Denied.Len())
	}
	v.Denied.Forget(time.Unix(expiry+300, 0))
	if v.Denied.Len() != 0 {
		t.Error(v.Denied.Len())
	}
}

func TestAnEntryForATimeThatIsOverCountsAsOneAndDeniesNoMoreThanItSays(t *testing.T) {
	v := verifier(t, hmacAlone)
	old, before1970 := issue(1, 3, 0, sticker, owner), time.Unix(-1, 0)
	if _, err := v.VerifyAt(old, sticker, owner, before1970); err != nil {
		t.Error("nothing is denied:", err)
	}
	v.Denied.Apply(&Page{Revocations: []Revocation{{User: string(owner), Stickers: []uint64{sticker}}}})
	if v.Denied.Len() != 1 {
		t.Error(v.Denied.Len())
	}
	if _, err := v.VerifyAt(old, sticker, owner, before1970); err != Revoked {
		t.Error(err)
	}
	if _, err := v.VerifyAt(issue(1, 3, 1, sticker, owner), sticker, owner, before1970); err != nil {
		t.Error("bought again:", err)
	}
}

func TestManyEntriesAreAppliedAndForgotten(t *testing.T) {
	v, all := verifier(t, hmacAlone), make([]uint64, 2*atOnce+1)
	for at := range all {
		all[at] = uint64(at) + 1
	}
	v.Denied.Apply(&Page{Revocations: []Revocation{{Stickers: all, RefuseUntil: expiry}, {User: "a", Stickers: all, RefuseUntil: expiry + 1}}})
	if v.Denied.Len() != 2*len(all) {
		t.Error(v.Denied.Len())
	}
	v.Denied.Forget(time.Unix(expiry+keptFor, 0))
	if v.Denied.Len() != len(all) {
		t.Error(v.Denied.Len())
	}
}

func TestAPageHolds200000StickersInAll(t *testing.T) {
	entry := `{"cursor":1,"user_hex":null,"sticker_ids":[7` + strings.Repeat(",7", 9_999) + `],"refuse_until":1}`
	full := strings.Repeat(entry+",", 19) + entry
	for more, want := range map[string]error{"": nil, `,{"cursor":1,"user_hex":null,"sticker_ids":[7],"refuse_until":1}`: ErrBadPage} {
		if _, err := ParsePage([]byte(`{"revocations":[`+full+more+`],"cursor":1,"more":false}`), 0); err != want {
			t.Error(err)
		}
	}
}

func TestAKeyFileHas65536KeysAtMost(t *testing.T) {
	keys := strings.Repeat(`{"algorithm":"another"},`, 65_535) + `{"algorithm":"another"}`
	if _, err := ParseRing([]byte(`{"keys":[` + keys + `]}`)); err != nil {
		t.Error(err)
	}
	if _, err := ParseRing([]byte(`{"keys":[` + keys + `,{"algorithm":"another"}]}`)); codeOf(err) != "bad_json" {
		t.Error(err)
	}
}

func TestWhatATextBuildsIsBoundedByWhatIsWantedOfIt(t *testing.T) {
	for _, page := range []struct{ begin, piece, end string }{
		{`{"revocations":[`, "{},", `0],"cursor":1,"more":false}`},
		{`{"revocations":[`, `{"cursor":1,"user_hex":null,"sticker_ids":[],"refuse_until":0},`, `0],"cursor":1,"more":false}`},
		{`{"revocations":[{"cursor":1,"user_hex":null,"refuse_until":0,"sticker_ids":[`, "1,", `1]}],"cursor":1,"more":false}`},
		{`{"revocations":[],"cursor":1,"more":7,"later":[`, "[],", `0]}`},
		{`{"revocations":[],"cursor":1,`, `"b":0,`, `"more":7}`},
	} {
		text := []byte(page.begin + strings.Repeat(page.piece, maxAnswer/len(page.piece)) + page.end)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParsePage(text, 0)
		runtime.ReadMemStats(&after)
		if built := after.TotalAlloc - before.TotalAlloc; err != ErrBadPage || built > 4*uint64(len(text)) {
			t.Errorf("%q: %v after %d bytes", page.piece, err, built)
		}
	}
}

func TestBracketsAndEscapesInATextAreNoDepth(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 100), `\"` + strings.Repeat("[", 100), `\\`, `\\\"` + strings.Repeat("{", 100)} {
		ring, err := ParseRing([]byte(`{"a":"` + text + `",` + hmacAlone[1:]))
		if err != nil || fmt.Sprint(ring.IDs()) != "[3]" {
			t.Errorf("%s: %v", text, err)
		}
	}
	deep := `{"a":"\\","b":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "," + hmacAlone[1:]
	if _, err := ParseRing([]byte(deep)); codeOf(err) != "bad_json" {
		t.Error(err)
	}
}

func TestWhatIsCutOffAnywhereIsRefused(t *testing.T) {
	page := `{"revocations":[{"cursor":1,"user_hex":"\u0036\u0031","sticker_ids":[1 , 2],"refuse_until":1}],"cursor":1,"more":false}`
	if _, err := ParsePage([]byte(page), 0); err != nil {
		t.Fatal(err)
	}
	for at := range page {
		if _, err := ParsePage([]byte(page[:at]), 0); err != ErrBadPage {
			t.Error(page[:at], err)
		}
		if _, err := ParseRing([]byte(bothKeys[:at])); codeOf(err) != "bad_json" {
			t.Error(bothKeys[:at], err)
		}
	}
}

func TestNamesInAKeyFileAreExact(t *testing.T) {
	ring, err := ParseRing([]byte(`{"Keys":[],"keys":[` + strings.Replace(keyThree, "{", `{"ID":9,"Algorithm":"ed25519",`, 1) + `]}`))
	if err != nil || fmt.Sprint(ring.IDs()) != "[3]" {
		t.Error(ring, err)
	}
	var refused *RingError
	if _, err := ParseRing([]byte(strings.Replace(hmacAlone, `"id"`, `"ID"`, 1))); !errors.As(err, &refused) || refused.Code != BadID {
		t.Error(err)
	}
}

func TestNoErrorAndNoPrintShowsAKey(t *testing.T) {
	for _, file := range []string{
		`{"keys":[` + keyThree + `,` + keyThree + `]}`,
		strings.Replace(hmacAlone, sequence, sequence[2:], 1),
		strings.Replace(hmacAlone, `","state`, `,"state`, 1),
		strings.Replace(hmacAlone, "signing", sequence, 1),
		strings.Replace(hmacAlone, `"id":3`, `"id":`+strings.Repeat("1", 64), 1),
	} {
		_, err := ParseRing([]byte(file))
		if err == nil {
			t.Fatal(file)
		}
		shown := fmt.Sprintf("%v %+v %#v", err, err, err)
		if strings.Contains(shown, "0102") || strings.Contains(shown, "1111") {
			t.Error(shown)
		}
	}
	v := verifier(t, bothKeys)
	if _, err := v.VerifyAt(golden, sticker, owner, early); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		shown := fmt.Sprintf(verb+" "+verb+" "+verb, v.Ring(), *v.Ring(), v.Ring().secret[3])
		for _, key := range []string{"0102030405", "1 2 3 4 5", "0x1, 0x2, 0x3", "36373435", "54 55 52 53", "5c5d5e5f"} {
			if strings.Contains(shown, key) {
				t.Error(verb, shown)
			}
		}
	}
}

func TestASyntaxErrorHasItsLine(t *testing.T) {
	_, err := ParseRing([]byte("{\n\"keys\":[\n{\"id\" 3}]}"))
	if err == nil || err.Error() != "bad_json: line 3" {
		t.Error(err)
	}
}

func TestAPageHasItsBounds(t *testing.T) {
	const entry = `{"cursor":1,"user_hex":null,"sticker_ids":[%s],"refuse_until":1}`
	for _, c := range []struct {
		entries, stickers int
		want              error
	}{{10_000, 1, nil}, {10_001, 1, ErrBadPage}, {1, 10_000, nil}, {1, 10_001, ErrBadPage}} {
		one := fmt.Sprintf(entry, "7"+strings.Repeat(",7", c.stickers-1))
		page := `{"revocations":[` + one + strings.Repeat(","+one, c.entries-1) + `],"cursor":1,"more":false}`
		if _, err := ParsePage([]byte(page), 0); err != c.want {
			t.Errorf("%d entries of %d stickers: %v", c.entries, c.stickers, err)
		}
	}
}
