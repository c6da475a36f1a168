//! For Signal: WebP and APNG of 512 x 512 px, one emoji each.

use std::io::Cursor;

use serde_json::json;

use crate::studio::{Studio, animation, frames_of, still};

/// How often an APNG plays (0 = for ever), and how long each of its frames is shown in ms, as the `png` crate reads it.
fn apng(file: &[u8]) -> (u32, Vec<u32>) {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    assert_eq!(reader.info().size(), (512, 512));
    let control = *reader.info().animation_control().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let durations = (0..control.num_frames).map(|_| {
        reader.next_frame(&mut pixels).unwrap();
        let frame = reader.info().frame_control().unwrap();
        u32::from(frame.delay_num) * 1000 / u32::from(frame.delay_den)
    });
    let durations = durations.collect();
    (control.num_plays, durations)
}

#[test]
fn stills_are_webp_and_animations_apng_and_a_list_says_their_order_and_emoji() {
    let studio = Studio::new(&[animation("wave"), still("안녕"), still("hi")]);
    let report = studio.exports("signal").and_exits(0).json();
    assert_eq!(
        studio.desk.files_in("out"),
        ["1-wave.png", "2-sticker.webp", "3-hi.webp", "cover.webp", "export.json", "pack.json"]
    );
    let sticker = |file: &str, name: &str| json!({ "file": file, "emoji": "🙂", "description": format!("{name} in English") });
    assert_eq!(
        studio.desk.json("out/pack.json"),
        json!({
            "title": "Mochi", "author": "Kim Lee", "cover": "cover.webp",
            "stickers": [sticker("1-wave.png", "wave"), sticker("2-sticker.webp", "안녕"), sticker("3-hi.webp", "hi")],
        })
    );
    let wave = studio.desk.reads("out/1-wave.png");
    assert_eq!(apng(&wave), (0, vec![70, 110, 45]));
    // A disc of smooth colours fits as it is.
    assert_eq!(
        (&report["stickers"][0]["score"], &report["stickers"][0]["bytes"]),
        (&json!(100.0), &json!(wave.len()))
    );
    assert_eq!(frames_of(&studio.desk.reads("out/cover.webp")), (512, 512, vec![]));
    for sticker in report["stickers"].as_array().unwrap() {
        assert_eq!(sticker["max_bytes"], 307_200);
        assert!(sticker["bytes"].as_u64() <= sticker["max_bytes"].as_u64(), "{sticker:#}");
    }
}

#[test]
fn what_does_not_fit_without_loss_gets_fewer_colours_and_its_score_is_told() {
    let studio = Studio::new(&[animation("sand")]);
    studio.desk.sprinkles("pack/sand.png", 512, &[(0, 500), (90, 700), (170, 900)]);
    let report = studio.exports("signal").and_exits(0).json();
    let sand = &report["stickers"][0];
    let file = studio.desk.reads("out/1-sand.png");
    assert_eq!(apng(&file), (0, vec![500, 700, 900]));
    assert_eq!(sand["bytes"], file.len());
    assert!((200_000..=307_200).contains(&file.len()), "{}", file.len());
    let score = sand["score"].as_f64().unwrap();
    assert!((65.0..99.0).contains(&score), "{score}");
    let warned = report["findings"].as_array().unwrap().iter().any(|it| it["code"] == "signal_looks_worse");
    assert_eq!(warned, score < 80.0, "{score}");
}

#[test]
fn what_moves_from_side_to_side_is_written_in_fewer_colours_too() {
    let studio = Studio::new(&[animation("walk")]);
    // Twice at the right, so that what changes is narrow, and then at the left.
    let seeds = (80..96).step_by(4).flat_map(|seed| [seed + 1, seed + 3, seed, seed + 2]);
    let frames: Vec<_> = seeds.map(|seed| (seed, 100)).collect();
    studio.desk.walks("pack/walk.png", 512, &frames);
    let report = studio.exports("signal").and_exits(0).json();
    let walk = &report["stickers"][0];
    assert_eq!(apng(&studio.desk.reads("out/1-walk.png")), (0, vec![100; 16]));
    let score = walk["score"].as_f64().unwrap();
    assert!((65.0..99.0).contains(&score), "it fits without loss, or looks like another: {score}");
}

#[test]
fn artwork_that_is_not_square_stands_in_the_middle_of_nothing() {
    let studio = Studio::new(&[still("wide")]);
    studio.desk.stretches("pack/wide.png", 600, 300, |_, _| [200, 40, 90]);
    studio.exports("signal").and_exits(0);
    let file = studio.desk.reads("out/1-wide.webp");
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    assert_eq!((decoder.dimensions(), pixels.len()), ((512, 512), 512 * 512 * 4));
    let rows: Vec<_> =
        (0..512).filter(|y| pixels[y * 2048..][..2048].chunks(4).any(|pixel| pixel[3] > 0)).collect();
    // 256 rows of artwork, whose disc begins a twentieth from its edges.
    assert_eq!(rows.first().unwrap() + rows.last().unwrap(), 511, "{rows:?}");
    assert!((225..240).contains(&rows.len()), "{}", rows.len());
}

#[test]
fn signal_takes_three_seconds_that_loop_for_ever() {
    let studio = Studio::new(&[animation("wave")]);
    studio.changes("name = \"wave\"", "name = \"wave\"\nloop = 3");
    let report = studio.exports("signal").and_exits(0).json();
    let told = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "signal_loops").unwrap();
    assert_eq!(told["message"], "it plays 3 times, and Signal plays every sticker for ever");
    assert_eq!(apng(&studio.desk.reads("out/1-wave.png")).0, 0);
    studio.changes("loop = 3", "frame_ms = 1001");
    let said = studio.desk.runs(["export", "pack", "--to", "signal", "--out", "out"]).and_exits(1).err();
    assert!(said.contains("error[signal_too_long]: it lasts 3003 ms, and Signal takes 3000"), "{said}");
}
