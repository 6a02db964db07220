//! Holds rows against their seals: what the newest event that changed a row says that it said then.

use store::seal::Seal;

use super::Report;
use crate::{App, Result};

/// Every row under seal.
pub(super) async fn compare(app: &App, report: &mut Report) -> Result<()> {
    let mut after = String::new();
    loop {
        let compared = store::seal::compare(&mut app.read().await?, &after, 500).await?;
        report.rows += compared.rows;
        for (seal, is_there) in &compared.broken {
            report.add(&seal.object, problem(app, seal, *is_there).await?);
        }
        match compared.last {
            Some(last) => after = last,
            None => break,
        }
    }
    for (id, is_older) in store::seal::without(&mut app.read().await?).await? {
        if is_older {
            report.unsealed += 1;
        } else {
            report.add(id, "no event in the ledger made this row");
        }
    }
    Ok(())
}

async fn problem(app: &App, seal: &Seal, is_there: bool) -> Result<String> {
    let event = store::ledger::at(&mut app.read().await?, seal.seq).await?;
    let event =
        event.map_or_else(|| "an event".to_owned(), |event| format!("{} of {} ({})", event.kind, event.at, event.id));
    Ok(match (is_there, &seal.salt) {
        (_, None) => format!("its row cannot be held against what {event} sealed: the salt is gone"),
        (true, Some(_)) => format!("its row, with what belongs to it, is not what {event} sealed"),
        (false, Some(_)) => format!("its row is gone; the last that the ledger has of it is {event}"),
    })
}
