//! The layers of a configuration: what lies above goes over what lies below, name by name.

use toml::{Table, Value};

use super::ConfigError;

/// What TOML's messages say is fixed text; the line is where to look.
pub(super) fn parsed(text: &str, origin: &str) -> Result<Table, ConfigError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, message) = (before.split('\n').count(), error.message().replace('\n', "; "));
        invalid(origin, format!("line {line}: {message}"))
    })
}

/// Puts `over` above `base`, the section at `path`; a name that the defaults do not have is refused, but for new tiers, and so is a value
/// in the place of a section.
pub(super) fn merge(base: &mut Table, over: Table, path: &str, origin: &str) -> Result<(), ConfigError> {
    for (key, value) in over {
        let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (base.get_mut(&key), value) {
            (None, _) => {
                let known: Vec<_> = base.keys().map(String::as_str).collect();
                let message = format!("there is no setting `{key}`; hint: there are {}", known.join(", "));
                return Err(invalid(origin, message));
            }
            (Some(Value::Table(tiers)), Value::Table(given)) if here == "tiers" => tiers.extend(given),
            (Some(Value::Table(section)), Value::Table(given)) => merge(section, given, &here, origin)?,
            (Some(Value::Table(_)), _) => {
                return Err(invalid(origin, format!("`{here}` is a section; name the setting in it")));
            }
            (Some(_), Value::Table(_)) => return Err(invalid(origin, wrong_form(&here))),
            (Some(existing), given) => *existing = given,
        }
    }
    Ok(())
}

pub(super) fn invalid(origin: &str, message: String) -> ConfigError {
    ConfigError::Invalid { origin: origin.to_owned(), message }
}

pub(super) fn wrong_form(path: &str) -> String {
    format!("the value of `{path}` has the wrong form")
}

/// `SERVER__LISTEN` becomes `{ server = { listen = value } }`; numbers and booleans are such.
pub(super) fn nested<'a>(keys: &mut impl Iterator<Item = &'a str>, value: &str) -> Table {
    let Some(key) = keys.next() else { return Table::new() };
    let inner = nested(keys, value);
    let value = if inner.is_empty() { scalar(value) } else { Value::Table(inner) };
    Table::from_iter([(key.to_owned(), value)])
}

fn scalar(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<bool>()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(boolean)) => Value::Boolean(boolean),
        _ if text.starts_with('[') => list(text).unwrap_or_else(|| Value::String(text.to_owned())),
        _ => Value::String(text.to_owned()),
    }
}

/// A list as TOML writes it: `["a", "b"]`. An address of IPv6 begins alike and is none.
fn list(text: &str) -> Option<Value> {
    toml::from_str::<Table>(&format!("list = {text}")).ok()?.remove("list")
}
