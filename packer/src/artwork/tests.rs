use std::fs;

use super::*;

/// A still, or an animation of several frames, of the size.
fn png(width: u32, height: u32, frames: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, width, height);
    encoder.set_color(::png::ColorType::Grayscale);
    if frames > 1 {
        encoder.set_animated(frames, 0).unwrap();
    }
    let mut writer = encoder.write_header().unwrap();
    for _ in 0..frames {
        writer.write_image_data(&vec![0; (width * height) as usize]).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn every_frame_that_does_not_fit_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (width, height, frames)) in
        [(4, 4, 1), (3, 4, 1), (4, 4, 2), (4, 4, 1), (4, 5, 1)].into_iter().enumerate()
    {
        fs::write(folder.path().join(format!("{number}.png")), png(width, height, frames)).unwrap();
    }
    let mut findings = Vec::new();
    assert!(survey(folder.path(), &mut findings).is_none());
    let told = findings.iter().map(|finding| {
        (finding.path.file_name().unwrap().to_str().unwrap(), finding.code, finding.message.as_str())
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("1.png", "frame_size_differs", "it has 3 x 4 px, the first frame 4 x 4"),
            ("2.png", "frame_animated", "a frame is an animation itself"),
            ("4.png", "frame_size_differs", "it has 4 x 5 px, the first frame 4 x 4"),
        ]
    );
}

#[test]
fn a_frame_that_is_too_short_is_told_with_the_delay_of_the_file() {
    let message = |delay| {
        let mut file = Vec::new();
        let mut encoder = ::gif::Encoder::new(&mut file, 1, 1, &[255, 0, 0]).unwrap();
        for delay in [5, delay] {
            let frame = ::gif::Frame { delay, ..::gif::Frame::from_indexed_pixels(1, 1, [0], None) };
            encoder.write_frame(&frame).unwrap();
        }
        drop(encoder);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.gif");
        fs::write(&path, file).unwrap();
        let mut findings = Vec::new();
        survey(&path, &mut findings).unwrap();
        findings.pop().map(|finding| finding.message)
    };
    assert_eq!(message(0).unwrap(), "a frame lasts 0 ms, and is shown for 100 ms");
    assert_eq!(message(1).unwrap(), "a frame lasts 10 ms, and is shown for 100 ms");
    assert_eq!(message(2), None);
}
