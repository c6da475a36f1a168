//! Projects made for a test, and the real artwork that may lie beside the repository.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::left_out;

/// A pack project in a folder of its own, with drawn stickers.
#[derive(Debug)]
pub struct Artwork {
    folder: TempDir,
}

impl Artwork {
    /// A project with stills and with one animation of `frames` frames at 12 per second.
    pub fn project(slug: &str, price_tier: &str, stills: u32, frames: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stickers = folder.path().join("stickers");
        fs::create_dir_all(&stickers).expect("a folder");
        let mut toml = format!(
            "slug = \"{slug}\"\nprice_tier = \"{price_tier}\"\n\n[titles]\nen = \"The {slug} pack\"\n\n\
             [artist]\nslug = \"tester\"\nname = \"A Tester\"\n"
        );
        for still in 0..stills {
            draw(&stickers.join(format!("still-{still}.png")), still * 40);
            sticker(&mut toml, &format!("still-{still}"), &format!("stickers/still-{still}.png"), "");
        }
        if frames > 0 {
            let moving = stickers.join("moving");
            fs::create_dir_all(&moving).expect("a folder");
            (0..frames).for_each(|frame| draw(&moving.join(format!("{frame:03}.png")), frame * 20));
            sticker(&mut toml, "moving", "stickers/moving", "fps = 12\n");
        }
        fs::write(folder.path().join("pack.toml"), toml).expect("pack.toml");
        Self { folder }
    }

    /// The project's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn sticker(toml: &mut String, name: &str, file: &str, more: &str) {
    let _ = write!(
        toml,
        "\n[[stickers]]\nname = \"{name}\"\nfile = \"{file}\"\nemoji = [\"😀\"]\n{more}\n[stickers.alt]\nen = \"{name}\"\n"
    );
}

/// The folder of real artwork, where it lies beside the repository; what is missing is said.
pub fn shared_data(what: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(what);
    if folder.exists() {
        return Some(folder);
    }
    left_out(&format!("the artwork {what}"), "it does not lie beside the repository in shared/data");
    None
}

/// A 512 px disc with a soft edge that shrinks with `step`, in a colour of its own.
fn draw(path: &Path, step: u32) {
    const SIDE: u32 = 512;
    let radius = f64::from(220_u32.saturating_sub(step / 2).max(60));
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = (f64::from(x) - 255.5, f64::from(y) - 255.5);
            let distance = (dx * dx + dy * dy).sqrt();
            let alpha = byte((radius - distance + 0.5).clamp(0.0, 1.0) * 255.0);
            let shade = byte((0.5 + dy / 600.0) * 255.0);
            pixels.extend_from_slice(&[shade, byte(f64::from(step % 200) + 40.0), 200, alpha]);
        }
    }
    let file = fs::File::create(path).expect("a picture file");
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("a PNG header");
    writer.write_image_data(&pixels).expect("a PNG");
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(value: f64) -> u8 {
    value.clamp(0.0, 255.0) as u8
}
