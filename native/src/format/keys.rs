//! Reading a definition: every key known, of the right type, and named in full when it is wrong.
//!
//! A definition is JSON. Keys are taken one by one; what is left at the end is unknown and refused, so
//! that a misspelt key is never a silent default. Errors name the key's path and what would be right.
use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// One object of a definition.
#[derive(Debug)]
pub struct Keys<'a> {
    path: String,
    map: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Keys<'a> {
    /// The object `value` at `path`, for example `format.fields`.
    pub fn new(path: impl Into<String>, value: &'a Value) -> Result<Self> {
        let path = path.into();
        let map = value.as_object().ok_or_else(|| wrong(&path, "an object", value))?;
        Ok(Self { path, map, asked: RefCell::default() })
    }

    /// A key's full path.
    pub fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// An error about a key.
    pub fn error(&self, key: &str, text: impl std::fmt::Display) -> Error {
        Error::new(format!("{}: {text}", self.path(key)))
    }

    /// The value of a key; null is absent.
    pub fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>> {
        self.value(key).map(|value| text(&self.path(key), value)).transpose()
    }

    /// A flag; absent is false.
    pub fn flag(&self, key: &'static str) -> Result<bool> {
        let wrong = |value| wrong(&self.path(key), "true or false", value);
        self.value(key).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| wrong(value)))
    }

    /// A finite number.
    pub fn number(&self, key: &'static str) -> Result<Option<f64>> {
        let finite = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        let read = |value| finite(value).ok_or_else(|| wrong(&self.path(key), "a number", value));
        self.value(key).map(read).transpose()
    }

    /// A list of texts.
    pub fn texts(&self, key: &'static str) -> Result<Option<Vec<&'a str>>> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let path = self.path(key);
        let texts = list.iter().enumerate().map(|(place, item)| text(&format!("{path}[{place}]"), item));
        texts.collect::<Result<Vec<_>>>().map(Some)
    }

    /// A list.
    pub fn list(&self, key: &'static str) -> Result<Option<&'a [Value]>> {
        let read = |value: &'a Value| {
            let list = value.as_array().map(Vec::as_slice);
            list.ok_or_else(|| wrong(&self.path(key), "a list", value))
        };
        self.value(key).map(read).transpose()
    }

    /// An object with keys of its own.
    pub fn object(&self, key: &'static str) -> Result<Option<Keys<'a>>> {
        self.value(key).map(|value| Keys::new(self.path(key), value)).transpose()
    }

    /// Every key with its value, for objects whose keys the user chooses.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.map.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Refuses keys that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        let asked = self.asked.borrow();
        match self.map.keys().find(|key| !asked.contains(&key.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let mut known = asked.clone();
                known.sort_unstable();
                known.dedup();
                Err(self.error(unknown, format!("unknown key; expected one of {}", known.join(", "))))
            }
        }
    }
}

/// A value as text.
pub fn text<'a>(path: &str, value: &'a Value) -> Result<&'a str> {
    value.as_str().ok_or_else(|| wrong(path, "a text", value))
}

/// The error for a value of the wrong type.
pub fn wrong(path: &str, expected: &str, found: &Value) -> Error {
    let shown: String = found.to_string().chars().take(40).collect();
    Error::new(format!("{path}: expected {expected}, found {shown}"))
}
