//! What an address under `/dl` and `/media` names. Every address has one form: no other spelling leads to the same object, so that a cache
//! keeps it once.

use sticker_protocol::{Density, ImageFormat, PackId, Sha256, StickerId};

use crate::web::error::Error;

/// What a download is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    /// `<sticker id>.sticker`
    Sticker(StickerId),
    /// `<pack id>.zip`
    Pack(PackId),
}

impl Named {
    /// The id in its one form, and the ending.
    fn read(name: &str) -> Option<Self> {
        match name.split_once('.')? {
            (id, "sticker") => id.parse().ok().map(Self::Sticker),
            (id, "zip") => id.parse().ok().map(Self::Pack),
            _ => None,
        }
    }
}

/// An address that an object can be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `/dl/<id>.<ending>`: the query says what for.
    Negotiated(Named),
    /// `/dl/<density>/<id>.<hash>.<ending>`
    Canonical(Named, Density, Sha256),
    /// `/dl/<pack id>.manifest`: the pack's newest release, signed.
    Signed(PackId),
    /// `/media/<hash>.webp`
    Picture(Sha256),
}

impl Address {
    /// `None` where nothing can be.
    pub(super) fn read(path: &str) -> Option<Self> {
        if let Some(name) = path.strip_prefix("/media/") {
            return name.strip_suffix(".webp")?.parse().ok().map(Self::Picture);
        }
        let rest = path.strip_prefix("/dl/")?;
        let Some((density, name)) = rest.split_once('/') else {
            return match rest.strip_suffix(".manifest") {
                Some(pack) => pack.parse().ok().map(Self::Signed),
                None => Named::read(rest).map(Self::Negotiated),
            };
        };
        let density = plain(density).filter(|_| !density.starts_with('0'))?;
        let (stem, ending) = name.rsplit_once('.')?;
        let (id, hash) = stem.split_once('.')?;
        let named = match ending {
            "sticker" => Named::Sticker(id.parse().ok()?),
            "zip" => Named::Pack(id.parse().ok()?),
            _ => return None,
        };
        Some(Self::Canonical(named, Density::new(density).ok()?, hash.parse().ok()?))
    }

    /// The canonical address of an object.
    pub(super) fn canonical(named: Named, density: Density, hash: Sha256) -> String {
        match named {
            Named::Sticker(id) => format!("/dl/{density}/{id}.{hash}.sticker"),
            Named::Pack(id) => format!("/dl/{density}/{id}.{hash}.zip"),
        }
    }
}

/// What the query of a negotiated address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) density: Density,
    pub(crate) format: Option<ImageFormat>,
}

impl Asked {
    /// Unknown fields are ignored: CDNs and apps add their own. A field twice is a mistake.
    ///
    /// # Errors
    /// 400 `invalid_query`, `invalid_density` or `invalid_format`.
    pub(super) fn read(query: &str) -> Result<Self, Error> {
        let only = |name: &str| {
            let fields = query.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
            let mut values = fields.filter(|(key, _)| *key == name);
            match (values.next(), values.next()) {
                (value, None) => Ok(value.map(|(_, value)| value)),
                _ => Err(Error::bad_request("invalid_query", format!("`{name}` is given twice"))),
            }
        };
        let density = match only("density")? {
            None => Density::DEFAULT,
            Some(text) => plain(text).and_then(|number| Density::new(number).ok()).ok_or_else(|| {
                Error::bad_request("invalid_density", "`density` is a whole number from 1 to 4096")
                    .hint("send the screen's dots per inch, such as density=480")
            })?,
        };
        let format = match only("format")? {
            None => None,
            Some(text) => Some(ImageFormat::from_extension(text).ok_or_else(|| {
                Error::bad_request("invalid_format", "`format` is png or webp")
                    .hint("leave it out for the format that suits the density")
            })?),
        };
        Ok(Self { density, format })
    }
}

/// Plain decimal digits.
fn plain(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        let hash = Sha256::of(b"it");
        let sticker = Named::Sticker(StickerId::new(7).unwrap());
        let density = Density::new(320).unwrap();
        let canonical = Address::canonical(sticker, density, hash);
        assert_eq!(Address::read(&canonical), Some(Address::Canonical(sticker, density, hash)));
        assert_eq!(Address::read("/dl/7.sticker"), Some(Address::Negotiated(sticker)));
        assert_eq!(Address::read("/dl/7.manifest"), Some(Address::Signed(PackId::new(7).unwrap())));
        assert_eq!(Address::read(&format!("/media/{hash}.webp")), Some(Address::Picture(hash)));
        for other in [
            "/dl/07.sticker".to_owned(),
            "/dl/+7.sticker".to_owned(),
            "/dl/%37.sticker".to_owned(),
            "/dl/7.STICKER".to_owned(),
            "/dl/7.sticker/".to_owned(),
            "/dl//7.sticker".to_owned(),
            "/dl/7".to_owned(),
            "/dl/07.manifest".to_owned(),
            "/dl/7.x.manifest".to_owned(),
            "/dl/7.sticker.manifest".to_owned(),
            "/dl/320/7.manifest".to_owned(),
            canonical.replace("320", "0320"),
            canonical.replace("320", "0"),
            canonical.to_uppercase(),
            canonical.replace(".sticker", ".zip.sticker"),
            format!("/media/{hash}.webp.webp"),
            format!("/media/../{hash}.webp"),
        ] {
            assert_eq!(Address::read(&other), None, "{other}");
        }
    }

    #[test]
    fn a_density_is_a_plain_number_once() {
        let density =
            |query: &str| Asked::read(query).map(|asked| asked.density.get()).map_err(|error| error.code());
        assert_eq!(density(""), Ok(320));
        assert_eq!(density("v=3&density=4096"), Ok(4096));
        for wrong in [
            "density=0",
            "density=-1",
            "density=+1",
            "density=4097",
            "density=1000000000",
            "density=99999999999999999999",
            "density=abc",
            "density=",
            "density",
            "density=%31",
        ] {
            assert_eq!(density(wrong), Err("invalid_density"), "{wrong}");
        }
        assert_eq!(density("density=1&density=1"), Err("invalid_query"));
        assert_eq!(density("format=gif"), Err("invalid_format"));
    }
}
