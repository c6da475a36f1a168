use super::*;
use crate::lint::extent::Extent;
use crate::lint::platforms::{PlatformId, platform};
use crate::lint::twins::Fingerprint;

/// A sticker of 512 x 512 px with a margin of 16 px that every platform takes, but for what `change` does to it.
fn sticker(frames: usize, ms: u32, change: impl FnOnce(&mut Seen)) -> Seen {
    let extent = Extent {
        left: 16,
        top: 16,
        right: 496,
        bottom: 496,
        size: (512, 512),
        pixels: 100_000,
        transparent: true,
    };
    let mut sticker = Seen {
        path: "nowhere.png".into(),
        name: "one".to_owned(),
        emoji: 1,
        size: (512, 512),
        durations_ms: vec![ms; frames],
        loop_count: 0,
        extent: Some(extent),
        fingerprint: Fingerprint::default(),
    };
    change(&mut sticker);
    sticker
}

fn codes(id: PlatformId, sticker: &Seen) -> Vec<&'static str> {
    let mut findings = Vec::new();
    Check { platform: platform(id), findings: &mut findings }.sticker(sticker);
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_still_that_is_drawn_by_the_book_is_fine_everywhere() {
    for id in PlatformId::ALL {
        assert_eq!(codes(id, &sticker(1, 0, |_| {})), [""; 0], "{id}");
    }
}

#[test]
fn an_animation_of_two_seconds_and_twenty_frames_is_fine_everywhere() {
    for id in PlatformId::ALL {
        assert_eq!(codes(id, &sticker(20, 100, |_| {})), [""; 0], "{id}");
    }
}

#[test]
fn each_platform_has_its_longest_time() {
    let longest = [
        (PlatformId::Telegram, 3_000, "telegram_too_long"),
        (PlatformId::WhatsApp, 10_000, "whatsapp_too_long"),
        (PlatformId::Signal, 3_000, "signal_too_long"),
        (PlatformId::Discord, 5_000, "discord_too_long"),
    ];
    for (id, ms, code) in longest {
        assert_eq!(codes(id, &sticker(10, ms / 10, |_| {})), [""; 0]);
        assert_eq!(codes(id, &sticker(10, ms / 10 + 1, |_| {})), [code]);
    }
}

#[test]
fn line_takes_whole_seconds_from_one_to_four_in_five_to_twenty_frames() {
    let line = |frames, ms| codes(PlatformId::Line, &sticker(frames, ms, |_| {}));
    assert_eq!(line(5, 800), [""; 0]);
    assert_eq!(line(5, 900), ["line_too_long"]);
    assert_eq!(line(5, 100), ["line_too_short"]);
    assert_eq!(line(5, 500), ["line_not_whole_seconds"]);
    assert_eq!(line(4, 500), ["line_frame_count"]);
    assert_eq!(line(25, 40), ["line_frame_count"]);
    let plays = |times| codes(PlatformId::Line, &sticker(10, 100, |it| it.loop_count = times));
    assert_eq!((plays(4), plays(5)), (vec![], vec!["line_loops"]));
    let long = sticker(10, 200, |it| it.loop_count = 3);
    assert_eq!(codes(PlatformId::Line, &long), ["line_loops"]);
}

#[test]
fn what_plays_a_few_times_is_told_where_it_will_play_for_ever() {
    let thrice = sticker(20, 100, |it| it.loop_count = 3);
    assert_eq!(codes(PlatformId::Telegram, &thrice), ["telegram_loops"]);
    assert_eq!(codes(PlatformId::Signal, &thrice), ["signal_loops"]);
    assert_eq!(codes(PlatformId::WhatsApp, &thrice), [""; 0]);
}

#[test]
fn thirty_frames_a_second_are_what_telegram_takes() {
    let telegram = |ms| codes(PlatformId::Telegram, &sticker(20, ms, |_| {}));
    assert_eq!((telegram(33), telegram(32)), (vec![], vec!["telegram_frame_rate"]));
    let whatsapp = |ms| codes(PlatformId::WhatsApp, &sticker(20, ms, |_| {}));
    assert_eq!((whatsapp(8), whatsapp(7)), (vec![], vec!["whatsapp_frame_too_short"]));
}

#[test]
fn artwork_with_fewer_pixels_than_a_platform_wants_or_of_another_shape_is_told() {
    let of_size = |id, width, height| {
        let size = |sticker: &mut Seen| (sticker.size, sticker.extent) = ((width, height), None);
        codes(id, &sticker(1, 0, size))
    };
    assert_eq!(of_size(PlatformId::Kakao, 360, 360), [""; 0]);
    assert_eq!(of_size(PlatformId::Kakao, 359, 359), ["kakao_too_small"]);
    assert_eq!(of_size(PlatformId::Kakao, 360, 300), ["kakao_shape"]);
    assert_eq!(of_size(PlatformId::Telegram, 512, 100), [""; 0]);
    assert_eq!(of_size(PlatformId::Telegram, 511, 100), ["telegram_too_small"]);
}

#[test]
fn a_margin_is_measured_on_the_platforms_canvas() {
    let left = |id, size: u32, left: u32| {
        codes(
            id,
            &sticker(1, 0, |it| {
                it.size = (size, size);
                it.extent = it.extent.map(|extent| Extent {
                    left,
                    top: left,
                    right: size - left,
                    bottom: size - left,
                    ..extent
                });
            }),
        )
    };
    assert_eq!(left(PlatformId::WhatsApp, 1024, 32), [""; 0]);
    assert_eq!(left(PlatformId::WhatsApp, 1024, 31), ["whatsapp_margin"]);
    assert_eq!(left(PlatformId::Line, 640, 20), [""; 0]);
    assert_eq!(left(PlatformId::Line, 640, 19), ["line_margin"]);
}

#[test]
fn a_sticker_without_emoji_is_refused_where_the_platform_wants_one() {
    let without = sticker(1, 0, |it| it.emoji = 0);
    assert_eq!(codes(PlatformId::Telegram, &without), ["telegram_emoji_count"]);
    assert_eq!(codes(PlatformId::Line, &without), [""; 0]);
}
