//! `text`: free text by patterns with named groups.
//!
//! `patterns` is a list of a pattern, or of an object with `pattern` and
//! - `fields`: a field map whose sources are the groups; a group that is named after a field of ours
//!   needs no entry;
//! - `set`: fields of ours and the value that a match alone gives them;
//! - `program`: only lines that this program wrote, by their envelope;
//! - `skip`: true for lines that hold no record.
//!
//! The first pattern that matches counts. A line that none matches still is a record, since it says
//! that something was written, unless `unmatched` is `refuse`.
use serde_json::Value;

use super::draft::{Draft, Raw};
use super::fields::FieldMap;
use super::keys::Keys;
use super::patterns::{Groups, MAX_PATTERNS, Patterns};
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// What one pattern's match does.
#[derive(Debug)]
struct Rule {
    program: Option<String>,
    skip: bool,
    map: FieldMap,
    /// Group of each field of the map; `None` is a value that is set.
    groups: Vec<Option<usize>>,
    set: Vec<Value>,
}

/// The format.
#[derive(Debug)]
pub struct Text {
    patterns: Patterns,
    rules: Vec<Rule>,
    refuse: bool,
    found: Groups,
    matched: Option<usize>,
}

/// From a definition.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let entries = keys.list("patterns")?.unwrap_or_default();
    if entries.is_empty() || entries.len() > MAX_PATTERNS {
        let found = format!("has {} entries, expected 1 to {MAX_PATTERNS}", entries.len());
        return Err(keys.error("patterns", found));
    }
    let path = |place: usize| format!("{}[{place}]", keys.path("patterns"));
    let plain: Vec<Value> = entries.iter().map(as_object).collect();
    let mut parts = Vec::with_capacity(plain.len());
    for (place, value) in plain.iter().enumerate() {
        parts.push(Keys::new(path(place), value)?);
    }
    let mut texts = Vec::with_capacity(parts.len());
    for part in &parts {
        texts.push(part.text("pattern")?.ok_or_else(|| part.error("pattern", "missing"))?);
    }
    let patterns = Patterns::new(&texts).map_err(|(place, error)| parts[place].error("pattern", error))?;
    let mut rules = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let map = FieldMap::empty(keys, channels, clock)?;
        rules.push(rule(keys, part, &patterns, place, channels, map)?);
        part.finish()?;
    }
    let refuse = match keys.text("unmatched")? {
        None | Some("count") => false,
        Some("refuse") => true,
        Some(other) => {
            return Err(keys.error("unmatched", format!("\"{other}\" is neither count nor refuse")));
        }
    };
    Ok(Box::new(Text { patterns, rules, refuse, found: Groups::default(), matched: None }))
}

fn as_object(entry: &Value) -> Value {
    match entry {
        Value::String(pattern) => serde_json::json!({ "pattern": pattern }),
        other => other.clone(),
    }
}

fn rule(
    format: &Keys<'_>,
    keys: &Keys<'_>,
    patterns: &Patterns,
    place: usize,
    channels: &ChannelList,
    mut map: FieldMap,
) -> Result<Rule> {
    let mut groups = Vec::new();
    if let Some(fields) = keys.object("fields")? {
        for (name, value) in fields.entries() {
            map.add(&fields, name, value)?;
        }
    }
    for source in map.sources() {
        let group = patterns.groups(place).find(|(_, name)| *name == source);
        let missing = || keys.error("fields", format!("the pattern has no group (?P<{source}>…)"));
        groups.push(Some(group.ok_or_else(missing)?.0));
    }
    let used = groups.clone();
    for (group, name) in patterns.groups(place).filter(|(group, _)| !used.contains(&Some(*group))) {
        map.add(keys, name, &Value::from(name))?;
        groups.push(Some(group));
    }
    let mut set = Vec::new();
    if let Some(constants) = keys.object("set")? {
        for (name, value) in constants.entries() {
            map.add(&constants, name, &Value::from(name))?;
            let mut draft = Draft::default();
            draft.clear(channels);
            let wrong = |refusal: Refusal| constants.error(name, format!("{value}: {}", refusal.name()));
            map.set(groups.len(), raw_of(value), 0, &mut draft).map_err(wrong)?;
            draft.refused.map_or(Ok(()), |refusal| Err(wrong(refusal)))?;
            groups.push(None);
            set.push(value.clone());
        }
    }
    map.add_message(format, channels)?;
    let program = keys.text("program")?.map(str::to_owned);
    Ok(Rule { program, skip: keys.flag("skip")?, map, groups, set })
}

fn raw_of(value: &Value) -> Raw<'_> {
    match value {
        Value::Null => Raw::Absent,
        Value::Bool(flag) => Raw::Flag(*flag),
        Value::Number(number) => Raw::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Raw::Text(text.as_bytes()),
        _ => Raw::Other,
    }
}

impl Format for Text {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let rules = &self.rules;
        let fits = |place: &usize| match &rules[*place].program {
            Some(program) => program.as_bytes() == context.program,
            None => true,
        };
        self.matched = self.patterns.first_match_where(line, fits);
        let Some(place) = self.matched else {
            return if self.refuse { Err(Refusal::NoPattern) } else { Ok(Found::Record) };
        };
        let rule = &mut self.rules[place];
        if rule.skip {
            return Ok(Found::Nothing);
        }
        self.patterns.find_groups(place, line, &mut self.found);
        let mut set = rule.set.iter();
        for (field, group) in rule.groups.iter().enumerate() {
            let raw = match group {
                Some(group) => self.found.get(*group, line).map_or(Raw::Absent, Raw::Text),
                None => set.next().map_or(Raw::Absent, raw_of),
            };
            if let Err(refusal) = rule.map.set(field, raw, context.arrival_ms, draft) {
                rule.map.forget_line();
                return Err(refusal);
            }
        }
        Ok(Found::Record)
    }

    fn finish(&mut self, draft: &mut Draft) -> std::result::Result<(), Refusal> {
        match self.matched {
            Some(place) => self.rules[place].map.finish(draft),
            None => Ok(()),
        }
    }
}
