//! The product in a test: a fake clock, files in a temporary folder, mail that is kept.

use std::time::Duration;

use domain::account::{Account, Grant, Role};
use domain::id::OrganizationId;
use domain::{Caller, Timestamp};
use store::testing::TestDatabase;

use crate::account::NewAccount;
use crate::settings::PasswordCost;
use crate::{App, Clock, Settings};

/// The password of every account that a test makes.
pub const PASSWORD: &str = "correct horse battery";

/// The product and what it stands on.
pub struct TestApp {
    /// The product.
    pub app: App,
    /// Its database and folder; goes away with it.
    pub database: TestDatabase,
    /// The host organization.
    pub host: OrganizationId,
}

/// When tests take place.
pub fn start() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A new installation with settings of the test's.
pub async fn app_with(database: TestDatabase, change: impl FnOnce(&mut Settings)) -> TestApp {
    let mut settings = Settings { password_cost: PasswordCost::Test, ..Settings::default() };
    change(&mut settings);
    let folder = database.folder.path();
    let blobs = store::Blobs::in_folder(&folder.join("blobs"), database.db.entropy().clone()).unwrap();
    let app = App::new(database.db.clone(), blobs, Clock::fake(start()), settings, folder.to_owned());
    crate::account::set_up(&app, "Harbor City Police", "America/Los_Angeles", "admin@example.org").await.unwrap();
    let host = crate::organization::host(&app).await.unwrap().id;
    TestApp { app, database, host }
}

/// A new installation.
pub async fn app(database: TestDatabase) -> TestApp {
    app_with(database, |_| {}).await
}

impl TestApp {
    /// An organization beside the host.
    pub async fn organization(&self, name: &str) -> OrganizationId {
        let admin = self.caller("org-admin", &self.host, &[(Role::Administrator, None)]).await;
        crate::organization::create(&self.app, &admin, name, "America/Los_Angeles", None).await.unwrap().id
    }

    /// An account `name@example.org` with [`PASSWORD`]; the one that exists if it does.
    pub async fn account(
        &self,
        name: &str,
        organization: &OrganizationId,
        roles: &[(Role, Option<&OrganizationId>)],
    ) -> Account {
        let email = format!("{name}@example.org");
        if let Some(found) = store::account::find_by_email(&mut self.app.read().await.unwrap(), &email).await.unwrap() {
            return found;
        }
        let new = NewAccount {
            email,
            user_name: Some(name.to_owned()),
            name: format!("{name} Example"),
            organization_id: organization.clone(),
            grants: roles.iter().map(|(role, of)| Grant { role: *role, organization_id: of.cloned() }).collect(),
            password: Some(PASSWORD.to_owned()),
        };
        crate::account::create_by_operator(&self.app, new).await.unwrap().0
    }

    /// Somebody signed in.
    pub async fn caller(
        &self,
        name: &str,
        organization: &OrganizationId,
        roles: &[(Role, Option<&OrganizationId>)],
    ) -> Caller {
        Caller::session(self.account(name, organization, roles).await, Vec::new())
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.app.clock().advance(by);
    }

    /// Runs every job that is due now.
    pub async fn run_jobs(&self) {
        while crate::jobs::run_one(&self.app).await.unwrap() {}
    }

    /// The mails so far, oldest first: template and recipient.
    pub async fn mails(&self) -> Vec<(String, String)> {
        let mut tx = self.app.read().await.unwrap();
        let mut mails =
            store::mail::list(&mut tx, &store::mail::Filter { limit: 10_000, ..Default::default() }).await.unwrap();
        mails.reverse();
        mails.into_iter().map(|m| (m.template, m.recipient)).collect()
    }
}
