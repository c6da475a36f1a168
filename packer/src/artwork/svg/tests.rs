use std::fmt::Write as _;

use super::*;

fn svg(content: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"0 0 100 50\">{content}</svg>"
    )
}

fn code(text: &str) -> &'static str {
    match decode(text.as_bytes()) {
        Ok(_) => "",
        Err(refused) => refused.code,
    }
}

#[test]
fn whatever_runs_moves_or_comes_from_elsewhere_is_refused() {
    for (content, expected) in [
        ("<script>alert(1)</script>", "svg_unsafe"),
        ("<rect width=\"1\" height=\"1\" onclick=\"x()\"/>", "svg_unsafe"),
        ("<rect width=\"1\" height=\"1\" ONLOAD=\"x()\"/>", "svg_unsafe"),
        ("<image href=\"data:image/png;base64,AA==\"/>", "svg_unsupported"),
        ("<filter id=\"f\"><feImage href=\"#a\"/></filter>", "svg_unsupported"),
        ("<foreignObject/>", "svg_unsafe"),
        ("<text>hello</text>", "svg_unsupported"),
        ("<rect><animate attributeName=\"x\"/></rect>", "svg_unsupported"),
        ("<rect><set attributeName=\"x\"/></rect>", "svg_unsupported"),
        ("<style>@keyframes a { from { opacity: 0 } }</style>", "svg_unsupported"),
        ("<use href=\"other.svg#a\"/>", "svg_unsafe"),
        ("<use xlink:href=\"http://example.com/a.svg#a\"/>", "svg_unsafe"),
        ("<use href=\" file:///etc/passwd\"/>", "svg_unsafe"),
        ("<rect fill=\"url(http://example.com/a#b)\"/>", "svg_unsafe"),
        ("<rect style=\"fill: URL( 'a.svg#b' )\"/>", "svg_unsafe"),
        ("<rect style=\"fill: u\\72l(a.svg)\"/>", "svg_unsafe"),
        ("<style>@import 'a.css';</style>", "svg_unsafe"),
        ("<style>.a { fill: url(a.svg#b) }</style>", "svg_unsafe"),
        ("<style><![CDATA[.a { fill: url(a.svg#b) }]]></style>", "svg_unsafe"),
        ("<marker id=\"m\"/>", "svg_unsupported"),
        ("<filter id=\"f\"><feTurbulence numOctaves=\"1000000\"/></filter>", "svg_unsupported"),
    ] {
        assert_eq!(code(&svg(content)), expected, "{content}");
    }
    let doctype = format!("<!DOCTYPE svg [<!ENTITY a \"b\">]>{}", svg(""));
    assert_eq!(code(&doctype), "svg_unsafe");
    let sheet = format!("<?xml-stylesheet href=\"a.css\"?>{}", svg(""));
    assert_eq!(code(&sheet), "svg_unsafe");
    assert_eq!(code("<html/>"), "not_artwork");
    assert_eq!(code("<svg"), "picture_damaged");
}

#[test]
fn what_drawing_programs_write_beside_the_drawing_is_left_alone() {
    let rect = "<rect width=\"1\" height=\"1\"/>";
    for content in [
        "<a href=\"https://example.com/\"><rect width=\"1\" height=\"1\"/></a>",
        "<a xlink:href=\"https://example.com/\" target=\"_blank\"><rect width=\"1\" height=\"1\"/></a>",
        "<rect data-name=\"C:\\art\\hat.ai\" width=\"1\" height=\"1\"/>",
        "<g id=\"a\\b\" aria-label=\"url(a)\"><rect width=\"1\" height=\"1\"/></g>",
        "<switch><foreignObject requiredExtensions=\"http://ns.adobe.com/AdobeIllustrator/10.0/\" width=\"1\" height=\"1\">\
         <p xmlns=\"x\"/></foreignObject><g><rect width=\"1\" height=\"1\"/></g></switch>",
    ] {
        assert_eq!(code(&svg(content)), "", "{content}");
    }
    let public = "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">";
    for start in [
        public.to_owned(),
        format!("\u{feff}<?xml version=\"1.0\"?>\n<!-- Generator: <!DOCTYPE a [ -->\n{public}\n<!-- > -->"),
        "<!DOCTYPE svg>".to_owned(),
        "<!DOCTYPE svg SYSTEM '>'>".to_owned(),
    ] {
        assert_eq!(code(&format!("{start}{}", svg(rect))), "", "{start}");
    }
}

#[test]
fn what_only_looks_like_it_is_refused() {
    let foreign = "<foreignObject requiredExtensions=\"a\"/>";
    for (content, expected) in [
        (foreign.to_owned(), "svg_unsafe"),
        (format!("<switch><g>{foreign}</g></switch>"), "svg_unsafe"),
        ("<switch><foreignObject/></switch>".to_owned(), "svg_unsafe"),
        (format!("<switch>{}</switch>", foreign.replace("/>", "><script/></foreignObject>")), "svg_unsafe"),
        ("<a href=\"#a\" onclick=\"x()\"/>".to_owned(), "svg_unsafe"),
        ("<a><use href=\"https://example.com/a.svg#a\"/></a>".to_owned(), "svg_unsafe"),
        ("<rect fill=\"u\\72l(a.svg)\"/>".to_owned(), "svg_unsafe"),
        ("<g clip-path=\"url(a.svg#b)\"/>".to_owned(), "svg_unsafe"),
        ("<g marker-end=\"url(a.svg#b)\"/>".to_owned(), "svg_unsafe"),
    ] {
        assert_eq!(code(&svg(&content)), expected, "{content}");
    }
    for start in [
        "<!DOCTYPE svg []>",
        "<!DOCTYPE svg PUBLIC \"a\" \"b\" [<!ENTITY a \"b\">]>",
        "<!DOCTYPE svg [<!ENTITY % a SYSTEM \"file:///etc/passwd\"> %a;]>",
        "<!DOCTYPE svg><!DOCTYPE svg [<!ENTITY a \"b\">]>",
    ] {
        assert_eq!(code(&format!("{start}{}", svg(""))), "svg_unsafe", "{start}");
    }
}

#[test]
fn what_points_inside_the_file_is_drawn() {
    let content = "<style>.a { fill: url(#g) }</style><defs><linearGradient id=\"g\"><stop stop-color=\"#f00\"/></linearGradient>\
        <rect id=\"r\" width=\"50\" height=\"50\" class=\"a\"/></defs><use href=\"#r\"/><use xlink:href=\"#r\" x=\"60\"/>";
    let picture = decode(svg(content).as_bytes()).unwrap().render(100, 50).unwrap();
    let row: Vec<_> = picture.rgba.as_chunks::<4>().0[100 * 25..][..100].to_vec();
    assert_eq!([row[25], row[55], row[80]], [[255, 0, 0, 255], [0; 4], [255, 0, 0, 255]]);
}

#[test]
fn a_drawing_stands_in_the_middle_at_every_size_with_clear_colour_where_nothing_is() {
    let content = "<rect width=\"100\" height=\"50\" fill=\"#00f\" fill-opacity=\"0.5\"/>";
    let vector = decode(svg(content).as_bytes()).unwrap();
    assert_eq!(vector.size(), (1024, 512));
    let picture = vector.render(40, 40).unwrap();
    for (at, pixel) in picture.rgba.as_chunks::<4>().0.iter().enumerate() {
        let inside = (10..30).contains(&(at / 40));
        assert_eq!(*pixel, if inside { [0, 0, 255, 128] } else { [0; 4] }, "px {at}");
    }
}

/// Ten times ten times ten and so on, in each way in which one element refers to another.
#[test]
fn what_multiplies_is_refused_before_it_is_expanded() {
    let bomb = |inner: &str, level: &dyn Fn(usize) -> String, outer: &str| {
        let mut content = format!("<defs>{inner}");
        for number in 1..12 {
            content += &level(number);
        }
        let _ = write!(content, "</defs>{outer}");
        svg(&content)
    };
    let rect = "<rect width=\"1\" height=\"1\"/>";
    let uses = bomb(
        &format!("<g id=\"a0\">{rect}</g>"),
        &|n| format!("<g id=\"a{n}\">{}</g>", format!("<use href=\"#a{}\"/>", n - 1).repeat(10)),
        "<use href=\"#a11\"/>",
    );
    let painted = |n: usize, how: &str| {
        format!("<rect width=\"1\" height=\"1\" {how}=\"url(#a{})\"/>", n - 1).repeat(10)
    };
    let patterns = bomb(
        &format!("<pattern id=\"a0\" width=\"1\" height=\"1\">{rect}</pattern>"),
        &|n| format!("<pattern id=\"a{n}\" width=\"1\" height=\"1\">{}</pattern>", painted(n, "fill")),
        "<rect fill=\"url(#a11)\"/>",
    );
    let clips = bomb(
        &format!("<clipPath id=\"a0\">{rect}</clipPath>"),
        &|n| format!("<clipPath id=\"a{n}\">{}</clipPath>", painted(n, "clip-path")),
        "<rect clip-path=\"url(#a11)\"/>",
    );
    let styled = bomb(
        &format!("<mask id=\"a0\">{rect}</mask>"),
        &|n| {
            let rects = format!("<rect class=\"c{n}\"/>").repeat(10);
            format!("<style>.c{n} {{ mask: url('#a{}') }}</style><mask id=\"a{n}\">{rects}</mask>", n - 1)
        },
        "<rect mask=\"url(#a11)\"/>",
    );
    let inherited = svg(&format!(
        "<pattern id=\"p\" width=\"1\" height=\"1\">{}</pattern><g fill=\"url(#p)\">{}</g>",
        rect.repeat(1000),
        rect.repeat(1000)
    ));
    let rules = svg(&format!("<style>{}</style>", ".a .b .c { fill: red }".repeat(20_000)));
    for bomb in [uses, patterns, clips, styled, inherited, rules] {
        assert_eq!(code(&bomb), "svg_too_complex", "{}", &bomb[..300]);
    }
}

#[test]
fn what_refers_to_itself_or_lies_too_deep_is_refused() {
    for content in [
        "<g id=\"a\"><use href=\"#a\"/></g>".to_owned(),
        "<g id=\"a\"><use href=\"#b\"/></g><g id=\"b\"><use href=\"#a\"/></g>".to_owned(),
        "<mask id=\"a\"><rect mask=\"url(#a)\"/></mask>".to_owned(),
        "<g>".repeat(60) + &"</g>".repeat(60),
        "<g>".repeat(90_000) + &"</g>".repeat(90_000),
        (1..100)
            .map(|n| format!("<g id=\"a{n}\"><use href=\"#a{}\"/></g>", n + 1))
            .collect::<Vec<_>>()
            .concat(),
    ] {
        assert_eq!(code(&svg(&content)), "svg_too_complex", "{}", &content[..30]);
    }
}

#[test]
fn what_takes_long_to_draw_is_refused() {
    let large = "<rect width=\"100\" height=\"50\" opacity=\"0.1\"/>";
    assert_eq!(code(&svg(&large.repeat(10))), "");
    for content in [
        large.repeat(2000),
        "<path d=\"M0 0H100V50H0Z\" stroke=\"red\" stroke-dasharray=\"0.0001\"/>".to_owned(),
        format!("<path d=\"M0 0{}\"/>", "L99 50L1 0".repeat(100_000)),
        "<filter id=\"f\" x=\"-500\" width=\"1000\"><feGaussianBlur stdDeviation=\"9\"/></filter>\
         <rect width=\"100\" height=\"50\" filter=\"url(#f)\"/>"
            .to_owned(),
    ] {
        assert_eq!(code(&svg(&content)), "svg_too_complex", "{}", &content[..60]);
    }
    let shadow = "<filter id=\"f\"><feDropShadow dx=\"1\" dy=\"1\" stdDeviation=\"2\"/></filter>\
         <circle cx=\"50\" cy=\"25\" r=\"20\" filter=\"url(#f)\"/>";
    assert_eq!(code(&svg(shadow)), "");
}

/// resvg draws a tile whole, at the size that it has on the canvas.
#[test]
fn a_tile_beyond_four_canvases_is_refused_before_it_is_drawn() {
    let filled = |attributes: &str, inside: &str| {
        svg(&format!(
            "<pattern id=\"p\" patternUnits=\"userSpaceOnUse\" {attributes}>{inside}</pattern>\
             <rect width=\"10\" height=\"10\" fill=\"url(#p)\"/>"
        ))
    };
    let dot = "<circle r=\"3\"/>";
    for attributes in [
        "width=\"100000\" height=\"100000\"",
        "width=\"2400\" height=\"2400\"",
        "width=\"8\" height=\"8\" patternTransform=\"scale(3000)\"",
        "width=\"8\" height=\"8\" patternTransform=\"rotate(45) scale(40)\"",
    ] {
        assert_eq!(code(&filled(attributes, dot)), "svg_too_complex", "{attributes}");
    }
    let scaled = filled("width=\"8\" height=\"8\"", dot).replace("<rect", "<rect transform=\"scale(40)\"");
    assert_eq!(code(&scaled), "svg_too_complex");
    // Within a tile, the scale of the tile counts.
    let within = "<pattern id=\"q\" patternUnits=\"userSpaceOnUse\" width=\"20\" height=\"20\">\
         <circle r=\"1\"/></pattern><rect width=\"1\" height=\"1\" fill=\"url(#q)\"/>";
    let nested = filled("width=\"1\" height=\"1\" patternTransform=\"scale(40)\"", within);
    assert_eq!(code(&nested), "svg_too_complex");
    // Each shape draws the tile anew.
    let often = filled("width=\"150\" height=\"100\"", dot);
    assert_eq!(code(&often), "");
    let rect = "<rect width=\"10\" height=\"10\" fill=\"url(#p)\"/>";
    assert_eq!(code(&often.replace(rect, &rect.repeat(100))), "svg_too_complex");
    for attributes in [
        "width=\"8\" height=\"8\"",
        "width=\"100\" height=\"50\"",
        "width=\"8\" height=\"8\" patternTransform=\"scale(3)\"",
    ] {
        assert_eq!(code(&filled(attributes, dot)), "", "{attributes}");
    }
    let seed = include_str!("../../../fuzz/seeds/svg/pattern.svg");
    assert_eq!(code(seed), "");
    assert_eq!(code(&seed.replace("90", "100000")), "svg_too_complex");
}

/// Each isolated group is a picture that is kept while its content is drawn.
#[test]
fn layers_within_layers_beyond_the_memory_are_refused() {
    let nested = |times: usize, open: &str, shape: &str| {
        svg(&format!("{}{shape}{}", open.repeat(times), "</g>".repeat(times)))
    };
    let (faint, whole) = ("<g opacity=\"0.9\">", "<rect width=\"100\" height=\"50\"/>");
    assert_eq!(code(&nested(10, faint, whole)), "");
    assert_eq!(code(&nested(45, faint, whole)), "svg_too_complex");
    assert_eq!(code(&nested(45, faint, "<rect width=\"20\" height=\"20\"/>")), "");
    // A layer reaches beyond the canvas.
    let outside = "<rect x=\"-150\" y=\"-75\" width=\"400\" height=\"200\"/>";
    assert_eq!(code(&nested(1, faint, outside)), "svg_too_complex");
    let masked = "<mask id=\"m\" maskUnits=\"userSpaceOnUse\" width=\"100\" height=\"50\">\
         <rect width=\"100\" height=\"50\" fill=\"#fff\"/></mask>";
    assert_eq!(code(&nested(20, "<g mask=\"url(#m)\">", &format!("{masked}{whole}"))), "svg_too_complex");
}

#[test]
fn the_real_drawings_are_accepted() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.ancestors().map(|it| it.join("shared/data/svg-pack")).find(|it| it.is_dir());
    let Some(folder) = folder else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"left out: drawings: shared/data does not lie beside the repository\n",
        );
        return;
    };
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let vector = decode(&std::fs::read(&path).unwrap());
        let vector = vector.unwrap_or_else(|refused| panic!("{}: {refused:?}", path.display()));
        let picture = vector.render(96, 96).unwrap();
        assert!(picture.rgba.as_chunks::<4>().0.iter().any(|pixel| pixel[3] == 255), "{}", path.display());
    }
}
