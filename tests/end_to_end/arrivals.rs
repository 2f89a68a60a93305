//! Every way a file can arrive is noticed once, and nothing is read half.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime};

use artificio::picture::Hash;
use artificio_demo::Food;
use serde_json::Value;

use super::pictures;
use super::skipping::skip;
use super::waiting::undisturbed;
use super::workplace::{Workplace, put};

fn place() -> Workplace {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400");
    place.start();
    place
}

/// Tests of thousands of files run one after the other: side by side they would measure each other.
fn heavy() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the log says that this inventory file was read.
fn times_read(place: &Workplace, name: &str) -> usize {
    let line = format!("{} read", place.inventory(name).display());
    place.log().lines().filter(|entry| entry.ends_with(&line)).count()
}

/// Whatever puts a file into the folder, the file is read, and read once.
#[test]
fn every_way_of_arriving_is_noticed_once() {
    let place = place();
    let outside = place.root().join("outside");
    fs::create_dir(&outside).unwrap();
    let picture = |number: u32| pictures::tiny(number);

    put(place.inventory("copied.png"), &picture(1));
    put(outside.join("moved.png"), &picture(2));
    fs::rename(outside.join("moved.png"), place.inventory("moved.png")).unwrap();
    put(outside.join("linked.png"), &picture(3));
    fs::hard_link(outside.join("linked.png"), place.inventory("linked.png")).unwrap();
    symlink(place.inventory("copied.png"), place.inventory("link_inside.png")).unwrap();
    symlink(outside.join("linked.png"), place.inventory("link_outward.png")).unwrap();
    symlink(outside.join("nothing.png"), place.inventory("link_dangling.png")).unwrap();
    // As rsync does it: a hidden temporary name, then the real one.
    put(place.inventory(".rsynced.png.Xy12Zw"), &picture(4));
    fs::rename(place.inventory(".rsynced.png.Xy12Zw"), place.inventory("rsynced.png")).unwrap();
    // As a browser does it.
    put(place.inventory("downloaded.png.crdownload"), &picture(5));
    fs::rename(place.inventory("downloaded.png.crdownload"), place.inventory("downloaded.png")).unwrap();
    // As an editor does it: the new content in another file, which then replaces the old one. Without time to read it before.
    place.hold();
    put(place.inventory("edited.png"), &picture(6));
    put(place.inventory("edited.png~"), &picture(7));
    fs::rename(place.inventory("edited.png~"), place.inventory("edited.png")).unwrap();
    place.go_on();
    write_without_name(&place, "nameless.png", &picture(8));
    // A whole tree at once, moved in and made in place.
    put(outside.join("tree/one/two/deep.png"), &picture(9));
    fs::rename(outside.join("tree"), place.inventory("tree")).unwrap();
    put(place.inventory("made/at/once.png"), &picture(10));
    slowly(&place, "slow.png", &picture(11));

    let arrived = [
        "copied.png",
        "moved.png",
        "linked.png",
        "link_inside.png",
        "rsynced.png",
        "downloaded.png",
        "edited.png",
        "nameless.png",
        "tree/one/two/deep.png",
        "made/at/once.png",
        "slow.png",
    ];
    place.wait_indexed(arrived.len() as u64);
    // What would be read twice is read again before this one, which came last.
    put(place.inventory("last.png"), &picture(12));
    place.wait_indexed(arrived.len() as u64 + 1);
    place.wait_all_done();
    for name in arrived {
        assert_eq!(times_read(&place, name), 1, "{name}\n{}", place.log());
    }
    assert_eq!(place.status().unwrap()["inventory"]["failed"], 0);
    for skipped in ["link_outward.png", "link_dangling.png"] {
        let times = place.log().lines().filter(|line| line.contains(skipped) && line.contains("passed over")).count();
        assert_eq!(times, 1, "{skipped}\n{}", place.log());
    }
}

/// O_TMPFILE + linkat: the file has its whole content before it has a name.
fn write_without_name(place: &Workplace, name: &str, bytes: &[u8]) {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    let folder = place.inventory("");
    let file = open(&folder, OFlags::TMPFILE | OFlags::WRONLY, Mode::from_raw_mode(0o644)).unwrap();
    let mut file = File::from(file);
    file.write_all(bytes).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    linkat(CWD, path, CWD, place.inventory(name), AtFlags::SYMLINK_FOLLOW).unwrap();
}

/// As `dd` with a small block size, or a slow camera.
fn slowly(place: &Workplace, name: &str, bytes: &[u8]) {
    let mut file = File::create(place.inventory(name)).unwrap();
    for piece in bytes.chunks(bytes.len() / 10 + 1) {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        sleep(Duration::from_millis(40));
    }
}

/// A file written into a folder the moment it is made, at any depth, with no full scan to help.
#[test]
fn files_in_new_folders_are_never_missed() {
    const FOLDERS: usize = 2_000;
    let _alone = heavy();
    let place = place();
    let contents: Vec<Vec<u8>> = (0..20).map(pictures::tiny).collect();
    for (round, depth) in [1, 3, 8].into_iter().enumerate() {
        for number in 0..FOLDERS {
            let below = "/sub".repeat(depth - 1);
            put(place.inventory(format!("{depth}_{number}{below}/a.png")), &contents[number % 20]);
        }
        place.wait_indexed((FOLDERS * (round + 1)) as u64);
        eprintln!("new folders, depth {depth}: 0 of {FOLDERS} missed");
    }
}

/// A burst: every file is read exactly once, and the daemon still answers.
#[test]
fn every_file_of_a_burst_is_read_exactly_once() {
    const FILES: usize = 20_000;
    let _alone = heavy();
    let mut place = place();
    let contents: Vec<Vec<u8>> = (0..200).map(pictures::tiny).collect();
    for number in 0..FILES {
        put(place.inventory(format!("{}/{number}.png", number % 10)), &contents[number % 200]);
    }
    place.wait_indexed(FILES as u64);
    let log = place.log();
    let read = log.lines().filter(|line| line.ends_with(".png read")).count();
    let distinct: std::collections::HashSet<&str> = log
        .lines()
        .filter(|line| line.ends_with(".png read"))
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    assert_eq!((read, distinct.len()), (FILES, FILES));
    eprintln!("burst: {FILES} files, each read once; {} KiB at most", place.memory_kib("VmHWM"));
    place.assert_alive(1);
}

/// The system's queue of events overflows while the daemon is stopped: all is found all the same, and folders made meanwhile
/// are watched afterwards.
#[test]
fn an_overflow_is_made_good_within_ten_seconds() {
    // Each file is three events or more.
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let files = limit.trim().parse::<usize>().unwrap() / 2 + 800;
    if files > 20_000 {
        return skip(&format!("this system queues {} events, too many to overflow here", limit.trim()));
    }
    let _alone = heavy();
    let place = place();
    let content = pictures::tiny(1);
    for round in 1..=5 {
        place.hold();
        for number in 0..files {
            // Into the watched folder, so that each makes events; and some into new ones.
            let folder = if number % 30 == 0 { format!("round_{round}/") } else { String::new() };
            put(place.inventory(format!("{folder}{round}_{number}.png")), &content);
        }
        place.go_on();
        let wanted = (round * files + round - 1) as u64;
        let (_, taken) = place.wait_timed("all of them searchable", || {
            let is_done =
                |status: &Value| status["inventory"]["indexed"] == wanted && status["inventory"]["pending"] == 0;
            place.status().filter(is_done)
        });
        let seconds = taken.as_secs_f64();
        eprintln!("overflow {round} of 5: {files} files made good in {seconds:.1} s");
        // A folder that was made during the overflow has its watch.
        put(place.inventory(format!("round_{round}/late.png")), &pictures::tiny(2));
        place.wait_indexed(wanted + 1);
        let reported = |line: &&str| line.contains("more happened at once") && !line.contains(": resolved: ");
        let overflows = place.log().lines().filter(reported).count();
        assert!(overflows >= round, "the overflow was not forced\n{}", place.log());
        assert!(seconds < 10.0, "{seconds} s");
    }
}

/// A hundred writers that stop half-way for four seconds: none of their files is read half.
#[test]
fn slow_writers_are_waited_for() {
    const WRITERS: u32 = 100;
    let place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400");
    let mut place = place;
    place.stock(2);
    place.start();
    place.wait_indexed(6);
    let contents: Vec<Vec<u8>> =
        (0..WRITERS)
            .map(|number| {
                if number % 2 == 0 { pictures::tiny(number) } else { pictures::jpeg(Food::ALL[number as usize % 6], 0) }
            })
            .collect();
    let (stem, too_early) = undisturbed(|attempt| {
        let stem = format!("slow_{attempt}");
        let pictures: Vec<_> =
            (0_u32..).zip(&contents).map(|(number, bytes)| (format!("{stem}_{number}.jpg"), bytes)).collect();
        let too_early = write_in_two_halves(&place, &pictures)?;
        Some((stem, too_early.len()))
    });
    let mut half_read = 0;
    for (number, bytes) in (0..WRITERS).zip(&contents) {
        let record = place.wait_record(&format!("{stem}_{number}"));
        let is_whole = record["query"]["files"][0]["blake3"] == Hash::of(bytes).to_hex();
        half_read += u32::from(record["status"] == "error" || !is_whole);
    }
    eprintln!("slow writers: {half_read} of {WRITERS} read half, {too_early} answered too early");
    assert_eq!((half_read, too_early), (0, 0), "{}", place.log());
    // Nor was an error answered first and replaced later.
    let is_error = |line: &str| line.contains(&stem) && line.contains("The answer is");
    assert!(!place.log().lines().any(is_error), "{}", place.log());
}

/// Writes half of each picture into the query folder, stops for four seconds, and writes the rest. Returns the names of those
/// that were answered before that; `None` where all of it took too long to show anything: the daemon waits for the rest of a
/// file for seven seconds.
pub fn write_in_two_halves(place: &Workplace, pictures: &[(String, &Vec<u8>)]) -> Option<Vec<String>> {
    const LIMIT: Duration = Duration::from_millis(6_500);
    let started = Instant::now();
    let first_half = |(name, bytes): &(String, &Vec<u8>)| {
        let mut file = File::create(place.query(name)).unwrap();
        file.write_all(&bytes[..bytes.len() / 2]).unwrap();
        file
    };
    let files: Vec<File> = pictures.iter().map(first_half).collect();
    sleep(Duration::from_secs(4));
    let names = pictures.iter().map(|(name, _)| name.rsplit_once('.').unwrap().0.to_string());
    let too_early = names.filter(|name| place.record(name).is_some()).collect();
    for (mut file, (_, bytes)) in files.into_iter().zip(pictures) {
        file.write_all(&bytes[bytes.len() / 2..]).unwrap();
    }
    (started.elapsed() < LIMIT).then_some(too_early)
}

/// A file that grows all the time is never read half, and read when it has ended.
#[test]
fn a_growing_file_is_read_when_it_has_ended() {
    let mut place = Workplace::new();
    place.stock(1);
    place.start();
    place.wait_indexed(3);
    let bytes = pictures::png(Food::Pizza, 7);
    let mut file = File::create(place.query("growing.png")).unwrap();
    for piece in bytes.chunks(bytes.len() / 40 + 1) {
        file.write_all(piece).unwrap();
        assert!(place.record("growing").is_none(), "answered before it was whole");
        sleep(Duration::from_millis(60));
    }
    drop(file);
    assert_eq!(place.wait_record("growing")["query"]["files"][0]["blake3"], Hash::of(&bytes).to_hex());
}

/// A file that changes while it is read is not used: every reading is of one state of the file.
#[test]
fn a_reading_is_of_one_state() {
    use artificio::files::FileAt;
    use artificio::picture::{Bounds, Unusable, read_still};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, [1]).unwrap();
    let bounds = Bounds { file_bytes: 1 << 30, pixels: 1, decode_ms: 1_000, memory_bytes: 0 };
    let (writer_path, (stop, stopped)) = (path.clone(), std::sync::mpsc::channel::<()>());
    // The n-th byte is n: any whole state is recognised by its content.
    let writer = thread::spawn(move || {
        let mut file = File::options().append(true).open(writer_path).unwrap();
        let mut next = 2_u8;
        while stopped.try_recv().is_err() {
            let piece: Vec<u8> = (0..100_000)
                .map(|_| {
                    let byte = next;
                    next = next.wrapping_add(1);
                    byte
                })
                .collect();
            file.write_all(&piece).unwrap();
            if file.metadata().unwrap().len() > 4 << 20 {
                file.set_len(1).unwrap();
                next = 2;
            }
        }
    });
    let (mut whole, mut refused) = (0, 0);
    while refused < 20 {
        assert!(whole < 50_000, "{refused} refused, {whole} whole: it hardly ever changed");
        match read_still(&FileAt::named(&path), &bounds) {
            Ok(contents) => {
                whole += 1;
                assert_eq!(contents.bytes.len() as u64, contents.stamp.size);
                assert!(contents.bytes.iter().enumerate().all(|(at, &byte)| byte == (at as u8).wrapping_add(1)));
            }
            Err(Unusable::Changing | Unusable::Empty) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    stop.send(()).unwrap();
    writer.join().unwrap();
    eprintln!("a file that changes all the time: {refused} readings refused, {whole} whole");
}

/// Whoever reads an answer at any moment sees a whole one.
#[test]
fn no_reader_sees_a_part_of_an_answer() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    place.wait_indexed(6);
    put(place.query("a.jpg"), &pictures::jpeg(Food::Burger, 50));
    place.wait_record("a");
    let (mut looks, mut round) = (0, 0);
    // A test that is held up between two looks sees nothing in between, so it goes on until it has.
    while round < 10 || looks <= 20 {
        put(place.query("a.jpg"), &pictures::jpeg(Food::ALL[round % 6], 60));
        let hash = Hash::of(&pictures::jpeg(Food::ALL[round % 6], 60)).to_hex();
        place.wait("the next answer", || {
            looks += 1;
            // wait_record panics on a record that is no whole JSON; the sheet must decode to its end as well.
            image::load_from_memory(&fs::read(place.sheet_path("a")).unwrap()).expect("a whole sheet");
            (place.record("a").unwrap()["query"]["files"][0]["blake3"] == hash).then_some(())
        });
        round += 1;
    }
    place.wait("only the answer and the gallery", || {
        let entries = fs::read_dir(place.root().join("answer")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort_unstable();
        (names == [".thumbnails", "index.html", "result_a.json", "result_a.png"]).then_some(())
    });
}

/// The future and the year zero are ordinary times.
#[test]
fn odd_dates_are_ordinary() {
    let mut place = Workplace::new();
    place.start();
    let dated = [SystemTime::UNIX_EPOCH, SystemTime::now() + Duration::from_secs(3_000_000_000)];
    // Without time to read them before they have their dates.
    place.hold();
    for (number, date) in dated.into_iter().enumerate() {
        let path = place.inventory(format!("{number}.png"));
        put(&path, &pictures::tiny(number as u32));
        File::options().append(true).open(&path).unwrap().set_modified(date).unwrap();
    }
    place.go_on();
    place.wait_indexed(2);
    // What would be read twice is read again before this one.
    put(place.inventory("last.png"), &pictures::tiny(2));
    place.wait_indexed(3);
    assert_eq!((times_read(&place, "0.png"), times_read(&place, "1.png")), (1, 1), "{}", place.log());
}
