//! `artificio serve`: a page in the browser on the same folders.
//!
//! It is a process of its own, a front end to the interface of folders: what is dropped on the page becomes a file in `query/`, and
//! what the page shows comes from `answer/` and `status.json`. It reads pictures of the inventory only where a record names them,
//! and decodes them in child processes. The daemon does not know of it.
//!
//! One request a connection, and a thread for each: there is nothing to confuse one request with the next, and the number of
//! threads is the number of connections, which is limited.

mod access;
mod address;
mod answers;
mod asking;
mod assets;
mod connection;
mod events;
mod page_status;
mod pictures;
mod placing;
mod renditions;
mod request;
mod response;
mod routes;
mod token;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::config::{Config, FolderSettings};
use crate::error::{Fatal, Trouble};
use crate::files::{make_folder, sweep_arrivals};
use crate::sandbox::{Confinement, SandboxFolders};
use crate::threads::{self, ThreadEnd};
use access::AccessRules;
pub use address::{DEFAULT_ADDRESS, ListenAddress, NotAnAddress};
use asking::Senders;
use connection::{WebConnection, WebListener};
use events::EventHub;
use renditions::RenditionMaker;
use request::HttpRequest;
use response::HttpRefusal;
use routes::Site;
pub use token::PageToken;

/// Connections at a time; a browser holds six at most for each of its windows.
const MOST_CONNECTIONS: usize = 64;
/// After an error of the system (no file descriptor left) the next connection is taken so much later.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// What the command line says of the page.
pub struct PageOptions {
    /// Where it listens.
    pub listen: ListenAddress,
    /// Who knows it may come in from any address.
    pub token: Option<PageToken>,
    /// Names under which a browser may ask for the page, besides `localhost` and addresses in figures.
    pub hosts: Vec<String>,
}

/// A page that listens, and does not answer yet.
pub struct PageServer {
    listener: WebListener,
    site: Arc<Site>,
}

impl PageServer {
    /// Listens.
    ///
    /// # Errors
    /// The address cannot be taken, or others could reach it and there is no token.
    pub fn open(options: PageOptions, root: &Path, config: &Config) -> Result<Self, Fatal> {
        let PageOptions { listen, token, hosts } = options;
        let listener = WebListener::open(&listen)?;
        if token.is_none() && !listener.is_local() {
            return Err(Fatal::Usage(format!(
                "{}: other machines reach this address, so a token is needed: --token-file FILE, a file with a password of {} letters or more",
                listener.shown(),
                token::SHORTEST
            )));
        }
        sweep_arrivals(&config.folders.query);
        let confinement = confine(root, &config.folders);
        let hub = EventHub::of(&config.folders);
        let access = AccessRules { hosts, token };
        let site = Site {
            root: root.to_path_buf(),
            config: config.clone(),
            access,
            confinement,
            hub,
            renditions: RenditionMaker::default(),
            senders: Senders::default(),
        };
        Ok(Self { listener, site: Arc::new(site) })
    }

    /// Where a browser finds it.
    pub fn shown(&self) -> String {
        self.listener.shown()
    }

    /// Answers requests until the process ends.
    ///
    /// # Errors
    /// The thread that follows the folders cannot be started.
    pub fn run(self) -> Result<(), Trouble> {
        let (ends, ended) = unbounded();
        let site = Arc::clone(&self.site);
        threads::spawn("page-events", ends.clone(), move || site.hub.follow(&site.config.folders))?;
        let open = Arc::new(AtomicUsize::new(0));
        loop {
            log_panics(&ended);
            match self.listener.accept() {
                Ok(connection) => self.take(connection, &open, &ends),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log::warn!("a connection could not be taken: {}", crate::error::reason(&error));
                    std::thread::sleep(PAUSE_AFTER_ERROR);
                }
            }
        }
    }

    fn take(&self, mut connection: WebConnection, open: &Arc<AtomicUsize>, ends: &Sender<ThreadEnd>) {
        let place = OpenConnection::among(open);
        if open.load(Ordering::Relaxed) > MOST_CONNECTIONS {
            connection.refuse_at_once(&HttpRefusal::busy("too many browsers ask at this moment; try again"));
            return;
        }
        let site = Arc::clone(&self.site);
        let work = move || {
            let _place = place;
            answer(&mut connection, &site);
        };
        if let Err(trouble) = threads::spawn("page", ends.clone(), work) {
            log::warn!("{trouble}");
        }
    }
}

/// Confines this process, which must have no other threads yet: it reads the folders and writes none but that of queries. Its socket
/// listens already, and it opens no other.
fn confine(root: &Path, folders: &FolderSettings) -> Confinement {
    // A folder that is missing would stay out of reach. If it cannot be made, the first question says so.
    let _ = make_folder(&folders.query);
    let read = [root, &folders.inventory, &folders.answer, &folders.state];
    let read = read.into_iter().chain(folders.inventory.places()).map(Path::to_path_buf).collect();
    // A question becomes whole in a hidden folder of the query folder, and is moved out of it.
    let rearranged = vec![folders.query.clone()];
    let confinement = Confinement::enter(&SandboxFolders { read, written: Vec::new(), rearranged, connects: false });
    log::info!("confined {}", confinement.report().message);
    confinement
}

/// One request, and its response.
fn answer(connection: &mut WebConnection, site: &Site) {
    let answered = match HttpRequest::read(connection) {
        Ok(Some(request)) => site.answer(&request, connection),
        // A browser opens connections in advance.
        Ok(None) => return,
        Err(refusal) => refusal.response().write(connection, true),
    };
    match answered {
        Ok(()) => connection.close(),
        Err(error) => log::debug!("a response was not taken: {error}"),
    }
}

fn log_panics(ended: &Receiver<ThreadEnd>) {
    for ThreadEnd { name, panic } in ended.try_iter() {
        if let Some(message) = panic {
            log::error!("the {name} thread failed: {message}; please report this");
        }
    }
}

/// Counts a connection while it is open.
struct OpenConnection(Arc<AtomicUsize>);

impl OpenConnection {
    fn among(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
