//! From a filter of pieces to conditions.

use sea_orm::{ColumnTrait as _, Condition};
use trimaran_core::model::{PieceFilter, PieceSelection};
use trimaran_core::{Error, ErrorKind, Result};

use super::tags::{self, Kind};
use crate::entity::conversation::prompt_piece::Column;
use crate::repository::{TenantResources, time};

/// The most values that a filter may name, all its lists together: SQLite takes 32,766 parameters in a statement
/// (SQLITE_MAX_VARIABLE_NUMBER), and others may belong to it.
const MOST_VALUES: usize = 30_000;

/// What holds for the tenant's pieces that meet the filter.
///
/// # Errors
/// `Invalid` for a filter that names too much.
pub(super) fn of_filter(resources: &TenantResources, filter: &PieceFilter) -> Result<Condition> {
    check_size(filter)?;
    let text = resources.text();
    let engine = resources.executor().engine();
    let mut all = Condition::all().add(resources.own(Column::TenantId));
    macro_rules! one_of {
        ($($list:ident: $column:ident, $stored:expr;)*) => {$(
            if let Some(values) = &filter.$list {
                all = all.add(Column::$column.is_in(values.iter().map($stored)));
            }
        )*};
    }
    one_of! {
        conversations: ConversationId, |id| id.0;
        roles: Role, |role| role.name();
        ids: Id, |id| id.0;
        original_pieces: OriginalPieceId, |id| id.0;
        original_values: OriginalValue, |value| text.store(value);
        converted_values: ConvertedValue, |value| text.store(value);
        original_sha256: OriginalSha256, |sha256| sha256.0.to_vec();
        converted_sha256: ConvertedSha256, |sha256| sha256.0.to_vec();
        data_types: ConvertedDataType, |data_type| data_type.name();
        errors: Error, |error| error.name();
    }
    if !filter.not_data_types.is_empty() {
        let names = filter.not_data_types.iter().map(|data_type| data_type.name());
        all = all.add(Column::ConvertedDataType.is_not_in(names));
    }
    if let Some(from) = filter.created_from {
        all = all.add(time::from(engine, Column::CreatedAt, from));
    }
    if let Some(before) = filter.created_before {
        all = all.add(time::before(engine, Column::CreatedAt, before));
    }
    for (name, values) in &filter.labels {
        let values = values.iter().map(String::as_str);
        all = all.add(tags::one_of(resources, Column::Id, Kind::PieceLabel, name, values));
    }
    for (name, values) in &filter.metadata {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let values = values.iter().map(String::as_str);
        all = all.add(tags::one_of(resources, Column::Id, Kind::PieceMetadata, name, values));
    }
    let components = [
        (&filter.attack_ids, Kind::PieceAttack, tags::ID),
        (&filter.attack_classes, Kind::PieceAttack, tags::CLASS_NAME),
        (&filter.converter_classes, Kind::PieceConverter, tags::CLASS_NAME),
    ];
    for (values, kind, name) in components {
        if let Some(values) = values {
            let values = values.iter().map(String::as_str);
            all = all.add(tags::one_of(resources, Column::Id, kind, name, values));
        }
    }
    Ok(all)
}

/// What holds for the selected pieces, tenants aside.
pub(super) fn of_selection(selection: &PieceSelection) -> Condition {
    Condition::all().add(match selection {
        PieceSelection::Pieces(ids) => Column::Id.is_in(ids.iter().map(|id| id.0)),
        PieceSelection::Conversation(id) => Column::ConversationId.eq(id.0),
    })
}

fn check_size(filter: &PieceFilter) -> Result<()> {
    fn size<T>(list: Option<&Vec<T>>) -> usize {
        list.map_or(0, Vec::len)
    }
    let named = size(filter.conversations.as_ref())
        + size(filter.roles.as_ref())
        + size(filter.ids.as_ref())
        + size(filter.original_pieces.as_ref())
        + filter.labels.values().map(Vec::len).sum::<usize>()
        + filter.metadata.values().map(Vec::len).sum::<usize>()
        + size(filter.original_values.as_ref())
        + size(filter.converted_values.as_ref())
        + size(filter.original_sha256.as_ref())
        + size(filter.converted_sha256.as_ref())
        + size(filter.data_types.as_ref())
        + filter.not_data_types.len()
        + size(filter.attack_ids.as_ref())
        + size(filter.attack_classes.as_ref())
        + size(filter.converter_classes.as_ref())
        + size(filter.errors.as_ref());
    if named <= MOST_VALUES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "filter prompt pieces")
        .context(format!("the filter names {named} values, and {MOST_VALUES} is the most"))
        .hint("ask several times, each with a part of them"))
}
