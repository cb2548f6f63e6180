//! Pages made from templates: all that is filled in is escaped, and a name that is not there is an error. The filter `shown` makes harmless
//! what users wrote.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use trimaran_core::{Error, ErrorKind, Result};

use crate::report_output::shown;

/// What all pages look like.
const STYLE: &str = include_str!("templates/style.css");

/// Fills `template` with what `page` has.
///
/// # Errors
/// If the template and the page don't fit, which tests rule out.
pub(crate) fn fill(name: &str, template: &str, page: impl Serialize) -> Result<String> {
    let failed =
        |error: minijinja::Error| Error::new(ErrorKind::Invalid, "write the report's page").source(error);
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| match name {
        "style.css" => AutoEscape::None,
        _ => AutoEscape::Html,
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("shown", |text: &str| shown(text));
    environment.add_template("style.css", STYLE).map_err(failed)?;
    environment.add_template(name, template).map_err(failed)?;
    environment.get_template(name).map_err(failed)?.render(Serde(page)).map_err(failed)
}
