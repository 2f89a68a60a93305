//! The state folder: opened at the start, waited for while it cannot be used, and watched while the service runs.
//!
//! Without it nothing can be stored, and no lock keeps a second daemon away. So the service waits for it rather than to end: a
//! service manager would give up after a few starts, and then nothing goes on when the disk is well again. A running service goes
//! on with what it has open.

use std::sync::Arc;
use std::time::Instant;

use log::{info, warn};

use super::catalog_file::Condition;
use super::confinement::end_of_wait;
use super::event::{Channels, Event, Signal};
use super::reporting::manager::{self, Loading};
use super::retry::RETRY_PAUSE;
use super::start::{CatalogContent, load_catalog, make_inventory_links, open_quarantine};
use super::state::StateHold;
use super::{Daemon, Observer, TICK, requests};
use crate::catalog::Catalog;
use crate::clock;
use crate::config::Config;
use crate::error::{Fatal, Trouble};
use crate::files::{Lock, LockPlace, make_state_folder, narrow_state_folder, sweep_half_written};
use crate::quarantine::Quarantine;
use crate::sandbox::Confinement;
use crate::service_status::ServiceStatus;

/// What a daemon has of its state folder.
pub(super) struct OpenState {
    pub lock: Lock,
    pub quarantine: Arc<Quarantine>,
    pub catalog: Catalog,
    pub content: CatalogContent,
}

/// Opens the state folder. While that fails it is tried again, if the observer waits; `None` if a signal ended that.
pub(super) fn open_or_wait(
    config: &Config,
    confinement: &Confinement,
    condition: Condition,
    channels: &Channels,
    observer: &dyn Observer,
) -> Result<Option<OpenState>, Fatal> {
    let mut opening = Opening { config, confinement, held: None, reported: None, started_s: clock::now_s() };
    loop {
        match opening.try_open(condition) {
            Ok(open) => {
                opening.report_end();
                return Ok(Some(open));
            }
            Err(Fatal::Trouble(trouble)) if observer.waits() => {
                let of_confinement = end_of_wait(confinement, &config.folders.state)?;
                opening.report(of_confinement.unwrap_or(trouble));
            }
            Err(fatal) => return Err(fatal),
        }
        if !pause(channels) {
            info!("stopped");
            return Ok(None);
        }
    }
}

/// Attempts to open the state folder.
struct Opening<'a> {
    config: &'a Config,
    confinement: &'a Confinement,
    /// Kept from one attempt to the next, so that commands find out that a service runs.
    held: Option<(Lock, Arc<Quarantine>)>,
    /// Why the last attempt failed.
    reported: Option<Trouble>,
    started_s: i64,
}

impl Opening<'_> {
    fn try_open(&mut self, condition: Condition) -> Result<OpenState, Fatal> {
        let _loading = Loading::begin();
        let folder = &self.config.folders.state;
        make_state_folder(folder)?;
        make_inventory_links(self.config)?;
        let (lock, quarantine) = match self.held.take().filter(|(lock, _)| matches!(lock.place(), LockPlace::Same)) {
            Some(held) => held,
            None => {
                let narrowed = narrow_state_folder(folder);
                let lock = Lock::take(folder)?;
                if let Err(trouble) = narrowed {
                    warn!("{trouble}");
                }
                sweep_half_written(folder);
                requests::delete_all(folder);
                (lock, open_quarantine(self.config))
            }
        };
        match load_catalog(self.config, &quarantine, condition) {
            Ok((catalog, content)) => Ok(OpenState { lock, quarantine, catalog, content }),
            Err(trouble) => {
                self.held = Some((lock, quarantine));
                Err(trouble.into())
            }
        }
    }

    /// Says what is wrong, once; the service manager is told that the service is up, or it would end it.
    fn report(&mut self, trouble: Trouble) {
        let folder = &self.config.folders.state;
        manager::ready();
        manager::status(&format!("waiting for the state folder: {trouble}"));
        if self.held.is_some() {
            let confined = self.confinement.report().clone();
            // Best effort: on this disk something could not be written just now.
            let _ = ServiceStatus::waiting(&self.config.model, confined, trouble.clone(), self.started_s).write(folder);
        }
        if self.reported.as_ref() != Some(&trouble) {
            warn!(file:% = trouble.path.display(); "{trouble}");
            info!("{}: waiting until the state folder can be used; nothing is answered until then", folder.display());
            self.reported = Some(trouble);
        }
    }

    fn report_end(&self) {
        if let Some(trouble) = &self.reported {
            info!("{}: resolved: {}", trouble.path.display(), trouble.what);
        }
    }
}

/// Waits before the next attempt; `false` if a signal ends the service meanwhile.
fn pause(channels: &Channels) -> bool {
    let end = Instant::now() + RETRY_PAUSE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        manager::alive();
        if matches!(channels.next(left.min(TICK)), Event::Signal(Signal::Stop)) {
            return false;
        }
    }
}

impl Daemon {
    /// Looks whether the state folder is there and still the one that is locked. If it was replaced, or stays away, the
    /// service begins again with what is there.
    pub(super) fn check_state_folder(&mut self) {
        let now = self.now();
        let folder = &self.settings.config().folders.state;
        let trouble = match self.life.state_hold(now) {
            StateHold::Firm => None,
            StateHold::Unreachable(trouble) => Some(Trouble { path: folder.clone(), ..trouble }),
            StateHold::Away => {
                let what = "the state folder was moved or removed under the running service, or its disk is away";
                let remedy = "put it back: what is known is in it; if it stays away for a minute, a new one is made and everything is read again";
                Some(Trouble::new(what, folder, remedy))
            }
            StateHold::Lost => {
                warn!(
                    "{}: this is not the state folder that was there; the service begins again with it",
                    folder.display()
                );
                self.life.lose_state();
                None
            }
        };
        self.note("state", trouble);
    }
}
