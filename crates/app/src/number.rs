//! The numbers that people use: drawn in the transaction that uses them, so that none collides and none is skipped.

use domain::account::Account;
use domain::number_template::{Names, NumberTemplate};
use store::Tx;

use crate::{Error, Result};

/// What is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbered {
    Request,
    Case,
}

/// The next number of a template for something of this person's.
pub(crate) async fn next(tx: &mut Tx, what: Numbered, template: &str, person: &Account) -> Result<String> {
    let parsed = NumberTemplate::parse(template).map_err(Error::internal)?;
    let host = store::organization::host(tx).await?.ok_or_else(|| Error::internal("there is no host organization"))?;
    let zone = jiff::tz::TimeZone::get(&host.time_zone).map_err(Error::internal)?;
    let now = tx.now().to_jiff().ok_or_else(|| Error::internal("the clock shows no year"))?;
    let date = now.to_zoned(zone).date();
    let names = Names { name: &person.name, user_name: &person.user_name };
    let scope = format!("{what:?} {template} {}", parsed.scope(date));
    loop {
        let number = parsed.render(date, store::number::next(tx, &scope).await?, names);
        // Within a template numbers cannot collide; one of an earlier template may look the same.
        let taken = match what {
            Numbered::Request => store::video_request::number_is_taken(tx, &number).await?,
            Numbered::Case => store::video_request::case_number_is_taken(tx, &number).await?,
        };
        if !taken {
            return Ok(number);
        }
    }
}
