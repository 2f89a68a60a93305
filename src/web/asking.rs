//! A question from the page becomes files in the query folder: a picture, or a folder with `yes/` and `not/`.
//!
//! The body of the request is a line of JSON that says what follows, then the bytes of the pictures one after another, so that they
//! go to the disk as they come. No other page can have a browser send a body of this media type.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::detail;
use super::pictures::NamedPicture;
use super::placing::{harmless_name, numbered};
use super::response::HttpRefusal;
use crate::config::Config;
use crate::files::{Arrival, Unopened};
use crate::query::{NEGATIVES_FOLDER, POSITIVES_FOLDER};

/// The media type of a question.
pub const KIND: &str = "application/x-artificio-ask";
/// Pictures of one question, sent and taken from answers together.
const MOST_PICTURES: usize = 100;
/// One question may be as long as so many of the largest files that the settings allow.
const MOST_FILES_OF_FULL_SIZE: u64 = 4;
const LONGEST_LINE_BYTES: u64 = 64 << 10;
/// Questions that are being sent at a time.
const MOST_AT_A_TIME: usize = 4;
/// With so many queries waiting, no more are taken.
const MOST_WAITING: u64 = 1_000;
/// Ends the name of a set that asks again.
const AGAIN: &str = ", again";

/// The first line of a question.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PageQuestion {
    /// Of the set; made up where it is empty.
    name: String,
    /// The pictures whose bytes follow.
    pictures: Vec<SentPicture>,
    /// Pictures of an earlier answer.
    from: Option<FromAnswer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentPicture {
    name: String,
    bytes: u64,
}

/// Pictures of an earlier answer, by their places in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FromAnswer {
    key: String,
    at: i64,
    /// Whether the pictures of its query are asked with again, its examples included.
    #[serde(default)]
    keeps_query: bool,
    /// Matches to ask with.
    #[serde(default)]
    query: Vec<usize>,
    /// Matches that are positive examples.
    #[serde(default)]
    yes: Vec<usize>,
    /// Matches that are negative examples.
    #[serde(default)]
    not: Vec<usize>,
}

/// A picture of an earlier answer, and the folder of the set that it goes into.
type Taken = (Option<&'static str>, NamedPicture);

/// Takes a question of `length` bytes, while so many queries are `waiting`; the name of the query.
///
/// # Errors
/// What is wrong with it, or with the query folder; nothing is left there then.
pub fn ask(body: impl Read, length: u64, waiting: u64, config: &Config) -> Result<Value, HttpRefusal> {
    if waiting >= MOST_WAITING {
        return Err(HttpRefusal::busy(&format!("{waiting} queries wait for their answers already; try again later")));
    }
    let mut body = BufReader::new(body);
    let mut line = Vec::new();
    body.by_ref().take(LONGEST_LINE_BYTES).read_until(b'\n', &mut line).map_err(|_| ended())?;
    let question: PageQuestion = serde_json::from_slice(&line)
        .map_err(|error| HttpRefusal::new(400, format!("the question cannot be understood: {error}")))?;
    question.check(length - line.len() as u64, config)?;
    let taken = question.from.as_ref().map(|from| from.taken(config)).transpose()?.unwrap_or_default();
    question.place(&mut body, &taken, config)
}

fn ended() -> HttpRefusal {
    HttpRefusal::new(400, "the pictures did not arrive whole; send them again")
}

impl PageQuestion {
    fn check(&self, rest: u64, config: &Config) -> Result<(), HttpRefusal> {
        let megabytes = config.limits.max_file_megabytes.get();
        let most = megabytes << 20;
        let all = self.pictures.iter().fold(0, |sum: u64, picture| sum.saturating_add(picture.bytes));
        let largest = self.pictures.iter().map(|picture| picture.bytes).max().unwrap_or(0);
        match () {
            () if largest > most => Err(HttpRefusal::new(
                413,
                format!("a picture has more than {megabytes} MB ([limits] max_file_megabytes)"),
            )),
            () if all > most * MOST_FILES_OF_FULL_SIZE => Err(HttpRefusal::new(
                413,
                format!("the pictures have more than {} MB together", megabytes * MOST_FILES_OF_FULL_SIZE),
            )),
            () if all != rest => Err(HttpRefusal::new(400, "the pictures are not as long as the question says")),
            () => Ok(()),
        }
    }

    fn place(&self, body: &mut impl Read, taken: &[Taken], config: &Config) -> Result<Value, HttpRefusal> {
        let count = self.pictures.len() + taken.len();
        let asked = self.pictures.len() + taken.iter().filter(|(folder, _)| folder.is_none()).count();
        if asked == 0 {
            return Err(HttpRefusal::new(400, "there is no picture to ask with"));
        }
        if count > MOST_PICTURES {
            return Err(HttpRefusal::new(
                413,
                format!("more than {MOST_PICTURES} pictures; put the folder itself into the query folder"),
            ));
        }
        let folder = &config.folders.query;
        let unwritten = |error: io::Error| unwritten(folder, &error);
        let arrival = Arrival::into_folder(folder).map_err(unwritten)?;
        let mut names = Vec::new();
        for picture in &self.pictures {
            let (mut file, name) = new_file(&arrival, None, &picture.name).map_err(unwritten)?;
            names.push(name);
            let copied = io::copy(&mut body.take(picture.bytes), &mut file).map_err(unwritten)?;
            if copied < picture.bytes {
                return Err(ended());
            }
        }
        for (place, picture) in taken {
            let name = picture.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = picture.place().read(config.limits.max_file_megabytes.get() << 20);
            let bytes = bytes
                .map_err(|problem: Unopened| HttpRefusal::new(409, format!("{}: {problem}", picture.path.display())))?;
            let (mut file, name) = new_file(&arrival, *place, &name).map_err(unwritten)?;
            file.write_all(&bytes).map_err(unwritten)?;
            names.extend(place.is_none().then_some(name));
        }
        let is_set = count > 1;
        for name in numbered(&if is_set { self.set_name(&names) } else { names[0].clone() }) {
            let placed = if is_set { arrival.place_all(&name) } else { arrival.place_file(&names[0], &name) };
            if placed.map_err(unwritten)? {
                return Ok(json!({ "query": name }));
            }
        }
        Err(HttpRefusal::new(409, "there are too many queries of this name; rename the picture"))
    }

    fn set_name(&self, names: &[String]) -> String {
        let first = names.first().map_or("set", String::as_str);
        let stem = Path::new(first).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match &self.from {
            _ if !self.name.is_empty() => harmless_name(&self.name),
            Some(_) => format!("{}{AGAIN}", stem.strip_suffix(AGAIN).unwrap_or(&stem)),
            None => format!("{stem} and {} more", names.len().saturating_sub(1)),
        }
    }
}

impl FromAnswer {
    fn taken(&self, config: &Config) -> Result<Vec<Taken>, HttpRefusal> {
        let folders = &config.folders;
        let gone = || HttpRefusal::new(409, "this answer has changed meanwhile; look at it again");
        let answer = detail(&folders.answer, &self.key)?;
        if answer.time != self.at {
            return Err(gone());
        }
        if self.keeps_query && answer.unused > 0 {
            return Err(HttpRefusal::new(413, "the set of this answer is too large to be asked again from here"));
        }
        let [yes, not] = [Some(POSITIVES_FOLDER), Some(NEGATIVES_FOLDER)];
        let of_query = |count: usize| if self.keeps_query { (0..count).collect() } else { Vec::new() };
        let all: [(&str, Option<&'static str>, Vec<usize>); 6] = [
            ("query", None, of_query(answer.query.len())),
            ("yes", yes, of_query(answer.yes.len())),
            ("not", not, of_query(answer.not.len())),
            ("match", None, self.query.clone()),
            ("match", yes, self.yes.clone()),
            ("match", not, self.not.clone()),
        ];
        let named = all.iter().flat_map(|(of, place, numbers)| numbers.iter().map(move |at| (*of, *place, *at)));
        named.map(|(of, place, at)| Ok((place, NamedPicture::of(&answer, of, at, folders).ok_or_else(gone)?))).collect()
    }
}

/// A new file of this name, or of one with a number.
fn new_file(arrival: &Arrival, folder: Option<&str>, name: &str) -> io::Result<(std::fs::File, String)> {
    for name in numbered(&harmless_name(name)) {
        match arrival.create(folder, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, name)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn unwritten(folder: &Path, error: &io::Error) -> HttpRefusal {
    let status = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => 507,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return ended(),
        _ => 503,
    };
    HttpRefusal::new(
        status,
        crate::error::Trouble::system("put the picture into the query folder", folder, error).to_string(),
    )
}

/// Counts those who are sending a question.
#[derive(Debug, Default)]
pub struct Senders(AtomicUsize);

impl Senders {
    /// A place among them, free again when it is dropped.
    ///
    /// # Errors
    /// There are too many.
    pub fn place(&self) -> Result<SenderPlace<'_>, HttpRefusal> {
        let place = SenderPlace(&self.0);
        match self.0.fetch_add(1, Ordering::Relaxed) < MOST_AT_A_TIME {
            true => Ok(place),
            false => Err(HttpRefusal::busy("others are sending pictures; try again")),
        }
    }
}

/// A place among those who are sending.
#[derive(Debug)]
pub struct SenderPlace<'a>(&'a AtomicUsize);

impl Drop for SenderPlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::config::Bounded;

    /// A root with one answer: to `q.jpg`, with the matches `food/a.jpg` and `link.jpg`, a link that leads out.
    fn answered() -> (TempDir, Config) {
        let root = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.folders = config.folders.below(root.path());
        config.limits.max_file_megabytes = Bounded::new(1);
        let folders = &config.folders;
        [&folders.query, &folders.answer, &folders.inventory.join("food")]
            .iter()
            .for_each(|folder| fs::create_dir_all(folder).unwrap());
        let record = json!({"status": "ok", "message": "", "answered_s": 7, "query": {"name": "q.jpg", "files": [{"path": "q.jpg"}]},
            "matches": [{"path": "food/a.jpg"}, {"path": "link.jpg"}]});
        fs::write(folders.answer.join("result_q.json"), record.to_string()).unwrap();
        fs::write(folders.query.join("q.jpg"), b"query").unwrap();
        fs::write(folders.inventory.join("food/a.jpg"), b"match").unwrap();
        std::os::unix::fs::symlink("/etc/hostname", folders.inventory.join("link.jpg")).unwrap();
        (root, config)
    }

    fn send(config: &Config, question: &Value, pictures: &[u8]) -> Result<String, u16> {
        let body = [format!("{question}\n").as_bytes(), pictures].concat();
        let asked = ask(body.as_slice(), body.len() as u64, 0, config);
        asked.map(|reply| reply["query"].as_str().unwrap().into()).map_err(|refusal| refusal.status)
    }

    fn files_below(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap().to_string();
            match entry.is_dir() {
                true => found.extend(files_below(&entry).into_iter().map(|inner| format!("{name}/{inner}"))),
                false => found.push(name),
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn one_picture_is_a_file_and_several_are_a_set() {
        let (_root, config) = answered();
        let sent = |names: &[&str]| json!({"pictures": names.iter().map(|name| json!({"name": name, "bytes": 3})).collect::<Vec<_>>()});
        assert_eq!(send(&config, &sent(&["../../q.jpg"]), b"one"), Ok("q 2.jpg".into()));
        assert_eq!(send(&config, &sent(&["a.jpg", "a.jpg"]), b"onetwo"), Ok("a and 1 more".into()));
        assert_eq!(
            files_below(&config.folders.query),
            ["a and 1 more/a 2.jpg", "a and 1 more/a.jpg", "q 2.jpg", "q.jpg"]
        );
        assert_eq!(fs::read(config.folders.query.join("a and 1 more/a 2.jpg")).unwrap(), b"two");
    }

    #[test]
    fn so_many_send_at_a_time() {
        let senders = Senders::default();
        let mut places: Vec<_> = (0..MOST_AT_A_TIME).map(|_| senders.place().unwrap()).collect();
        assert_eq!(senders.place().map(|_| ()).map_err(|refusal| refusal.status), Err(503));
        places.pop();
        assert!(senders.place().is_ok());
    }

    #[test]
    fn matches_become_queries_and_examples() {
        let (_root, config) = answered();
        let from = |more: Value| {
            let mut from = json!({"key": "result_q", "at": 7});
            from.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            send(&config, &json!({ "from": from }), b"")
        };
        assert_eq!(from(json!({"query": [0]})), Ok("a.jpg".into()));
        assert_eq!(from(json!({"keeps_query": true, "not": [0]})), Ok("q, again".into()));
        assert_eq!(from(json!({"keeps_query": true, "yes": [0]})), Ok("q, again 2".into()));
        let all =
            ["a.jpg", "q, again 2/q.jpg", "q, again 2/yes/a.jpg", "q, again/not/a.jpg", "q, again/q.jpg", "q.jpg"];
        assert_eq!(files_below(&config.folders.query), all);
        assert_eq!(from(json!({"query": [1]})), Err(409), "a link that leads out");
        assert_eq!(from(json!({"query": [9]})), Err(409));
        assert_eq!(from(json!({"at": 8, "query": [0]})), Err(409), "another answer by now");
        assert_eq!(from(json!({"key": "../query/q", "query": [0]})), Err(404));
        assert_eq!(from(json!({"not": [0]})), Err(400), "nothing to ask with");
        assert_eq!(files_below(&config.folders.query), all, "nothing is left of what was refused");
    }

    #[test]
    fn what_is_too_much_or_not_whole_leaves_nothing() {
        let (_root, config) = answered();
        let picture = |bytes: u64| json!({"pictures": [{"name": "a.jpg", "bytes": bytes}]});
        assert_eq!(send(&config, &picture((1 << 20) + 1), b""), Err(413));
        assert_eq!(send(&config, &json!({"pictures": vec![json!({"name": "a", "bytes": 1 << 20}); 5]}), b""), Err(413));
        assert_eq!(
            send(&config, &json!({"pictures": vec![json!({"name": "a", "bytes": 0}); MOST_PICTURES + 1]}), b""),
            Err(413)
        );
        assert_eq!(send(&config, &picture(u64::MAX), b"x"), Err(413));
        assert_eq!(send(&config, &picture(4), b"abc"), Err(400));
        assert_eq!(send(&config, &json!({}), b""), Err(400));
        assert_eq!(send(&config, &json!({"path": "/etc/passwd"}), b""), Err(400));
        let question = format!("{}\n", picture(9));
        let cut = ask(question.as_bytes(), question.len() as u64 + 9, 0, &config);
        assert_eq!(cut.map_err(|refusal| refusal.status), Err(400), "the connection ended");
        let waiting = ask(b"".as_slice(), 0, MOST_WAITING, &config);
        assert_eq!(waiting.map_err(|refusal| refusal.status), Err(503));
        assert_eq!(files_below(&config.folders.query), ["q.jpg"]);
        fs::remove_dir_all(&config.folders.query).unwrap();
        assert_eq!(send(&config, &picture(1), b"a"), Err(503), "no query folder");
    }
}
