//! Further places that tenants' data may be in.

use std::collections::BTreeMap;

use figment::Figment;

use super::settings::{Placement, Reader};
use super::{Area, StoreSettings};
use crate::Result;

/// The table that they are configured in.
const TABLE: &str = "tenants.places";
/// The setting that says where new tenants go.
const PLACEMENT: &str = "tenants.placement";
/// The place that `stores` names, as commands call it.
pub const DEFAULT: &str = "default";
/// What stands for the place with the fewest tenants.
const LEAST_LOADED: &str = "least-loaded";
/// No name is longer: it is kept with every tenant in it.
const LONGEST_NAME: usize = 63;

/// The names that a configuration gives to places, whatever they are.
pub(super) fn names(figment: &Figment) -> Vec<String> {
    let table = figment.find_value(TABLE).ok();
    let names = table.as_ref().and_then(|value| value.as_dict()).map(|table| table.keys().cloned().collect());
    names.unwrap_or_default()
}

/// All places. Each is reached with the pool and memory of `stores.conversation`, whose rows are most of a tenant's.
pub(super) fn read(
    reader: &Reader<'_>,
    figment: &Figment,
    stores: &BTreeMap<Area, StoreSettings>,
) -> Result<BTreeMap<String, StoreSettings>> {
    let mut places: BTreeMap<String, StoreSettings> = BTreeMap::new();
    let Some(model) = stores.get(&Area::Conversation) else { return Ok(places) };
    for name in names(figment) {
        let key = |setting: &str| format!("{TABLE}.{name}.{setting}");
        let table = format!("{TABLE}.{name}");
        if !is_name(&name) {
            return Err(reader.wrong(&table, "it can't be the name of a place").hint(
                "use up to 63 small letters, digits, - and _; `default` and `least-loaded` have a meaning",
            ));
        }
        let Some(location) = reader.location(Area::Conversation, &key("url"), &key("password"))? else {
            return Err(reader.wrong(&table, "it has no url").hint(format!("set {}", key("url"))));
        };
        let owner = reader.location(Area::Conversation, &key("owner_url"), &key("owner_password"))?;
        reader.owned(owner.as_ref(), &location, &key("owner_url"), &key("url"))?;
        let known = stores.iter().map(|(area, store)| (format!("stores.{area}"), store));
        let known = known.chain(places.iter().map(|(name, store)| (format!("{TABLE}.{name}"), store)));
        for (other, store) in known {
            let same_path = store.location.path().is_some() && store.location.path() == location.path();
            if same_path || store.location.to_string() == location.to_string() {
                return Err(reader
                    .wrong(&key("url"), format!("it is that of {other}"))
                    .hint("give each place a URL of its own"));
            }
        }
        places.insert(name, StoreSettings { location, owner, is_default: false, ..model.clone() });
    }
    Ok(places)
}

/// Where new tenants go.
pub(super) fn placement(reader: &Reader<'_>, places: &BTreeMap<String, StoreSettings>) -> Result<Placement> {
    match reader.text(PLACEMENT)?.as_deref() {
        None | Some(DEFAULT) => Ok(Placement::Default),
        Some(LEAST_LOADED) => Ok(Placement::LeastLoaded),
        Some(name) if places.contains_key(name) => Ok(Placement::Named(name.to_owned())),
        Some(_) => Err(reader.wrong(PLACEMENT, "there is no such place").hint(format!(
            "write default, least-loaded, or one of those in {TABLE}: {}",
            places.keys().cloned().collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn is_name(name: &str) -> bool {
    let is_sign = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(is_sign)
        && ![DEFAULT, LEAST_LOADED].contains(&name)
}
