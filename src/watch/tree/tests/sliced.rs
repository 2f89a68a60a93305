//! Tests of a look that takes many turns: what it finds is what one turn would find, also when the folder changes meanwhile.

use artificio_random::Random;

use super::*;

/// More than any step of a turn may overshoot: a batch of removed files, each at the cost of a change.
const OVERSHOOT: usize = 300 * 8;

/// All files below a folder, as a tree names them.
fn files_on_disk(root: &Path) -> BTreeSet<PathBuf> {
    let mut tree = test_tree(false);
    tree.root = root.to_path_buf();
    tree.tree = Tree::new(root, false, BTreeSet::new(), KnownFiles::default());
    tree.scan();
    tree.tree.known_below(Path::new("")).into_iter().collect()
}

/// A folder in which things happen at random; each is hinted at, as the system does it.
struct RestlessFolder {
    test: TestTree,
    random: Random,
    /// What the changes say that there is.
    told: BTreeSet<PathBuf>,
    written: usize,
}

impl RestlessFolder {
    fn new(seed: u64) -> Self {
        let mut folder = Self { test: test_tree(false), random: Random::new(seed), told: BTreeSet::new(), written: 0 };
        (0..60).for_each(|_| folder.write());
        folder
    }

    fn any_path(&mut self) -> PathBuf {
        let depth = self.random.count(0, 2);
        let mut path: PathBuf = (0..depth).map(|_| format!("f{}", self.random.count(0, 3))).collect();
        path.push(format!("{}.jpg", self.random.count(0, 30)));
        path
    }

    fn any_folder(&mut self) -> PathBuf {
        (0..self.random.count(1, 2)).map(|_| format!("f{}", self.random.count(0, 4))).collect()
    }

    fn write(&mut self) {
        let (path, size) = (self.any_path(), self.random.count(1, 50));
        let absolute = self.test.root.join(&path);
        fs::create_dir_all(absolute.parent().unwrap()).unwrap();
        fs::write(&absolute, vec![0; size]).unwrap();
        self.written += 1;
        path.ancestors().for_each(|path| self.hint(path));
    }

    fn hint(&mut self, path: &Path) {
        let absolute = self.test.root.join(path);
        self.test.tree.hint(&absolute, self.test.now);
    }

    fn change_something(&mut self) {
        match self.random.count(0, 9) {
            0 => {
                let folder = self.any_folder();
                if fs::remove_dir_all(self.test.root.join(&folder)).is_ok() {
                    self.hint(&folder);
                }
            }
            1 => {
                let (from, to) = (self.any_folder(), self.any_folder());
                if fs::rename(self.test.root.join(&from), self.test.root.join(&to)).is_ok() {
                    [&from, &to].iter().for_each(|path| self.hint(path));
                }
            }
            2..=4 => {
                let path = self.any_path();
                if fs::remove_file(self.test.root.join(&path)).is_ok() {
                    self.hint(&path);
                }
            }
            5 => {
                let (from, to) = (self.any_path(), self.any_path());
                if fs::rename(self.test.root.join(&from), self.test.root.join(&to)).is_ok() {
                    [&from, &to].iter().for_each(|path| self.hint(path));
                }
            }
            6 => self.test.tree.mark_all(true),
            _ => self.write(),
        }
    }

    fn turn(&mut self, entries: usize) {
        let mut budget = TurnBudget::of(entries);
        self.test.tree.check_root(self.test.now, &mut self.test.hints);
        for change in self.test.tree.turn(self.test.now, QUIET, &mut self.test.hints, &mut budget) {
            match change {
                Change::Ready(path, _) => drop(self.told.insert(path)),
                Change::Removed(path) => {
                    // One that was settling was not told of.
                    self.told.remove(&path);
                }
                Change::Touched(..) | Change::Skipped(..) | Change::Eventless(..) => {}
            }
        }
        assert!(budget.spent() <= entries + OVERSHOOT, "{} at once", budget.spent());
    }
}

#[test]
fn a_sliced_look_finds_what_is_there_whatever_happens_meanwhile() {
    let (mut written, mut unfinished) = (0, 0);
    for seed in 0..25 {
        let mut folder = RestlessFolder::new(seed);
        for _ in 0..400 {
            if folder.random.chance(0.3) {
                folder.change_something();
            }
            folder.test.now += Duration::from_millis(folder.random.count(0, 40) as u64);
            let entries = folder.random.count(1, 12);
            folder.turn(entries);
            unfinished += usize::from(folder.test.tree.scan.is_some());
        }
        for _ in 0..8 {
            folder.test.now += Duration::from_secs(70);
            folder.turn(usize::MAX - OVERSHOOT);
        }
        let there = files_on_disk(&folder.test.root);
        assert_eq!(folder.told, there, "seed {seed}: what was reported");
        let known = folder.test.tree.known_below(Path::new(""));
        assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), there, "seed {seed}: what is known");
        assert!(folder.test.tree.is_scanned() && folder.test.tree.is_first_scan_done());
        written += folder.written;
    }
    assert!(written > 1_500 && unfinished > 1_500, "{written} written, {unfinished} turns ended within a folder");
}

#[test]
fn a_look_of_many_turns_reports_what_one_turn_does() {
    let looks = [1, 7, 100, usize::MAX].map(|entries| {
        let mut test = test_tree(true);
        for number in 0..300 {
            test.put(&format!("{}/{number}.jpg", number % 7), "x");
        }
        test.put("flat.jpg", "x");
        let mut seen = Vec::new();
        for step in 0..3 {
            match step {
                1 => fs::remove_dir_all(test.root.join("3")).unwrap(),
                2 => (0..50)
                    .for_each(|number| drop(fs::remove_file(test.root.join(format!("4/{}.jpg", number * 7 + 4))))),
                _ => {}
            }
            test.tree.check_root(test.now, &mut test.hints);
            test.tree.mark_all(true);
            for _ in 0..3 {
                test.now += Duration::from_secs(1);
                seen.extend(test.turns(entries));
            }
        }
        seen.sort();
        (seen, test.tree.known_below(Path::new("")), test.hints.watched())
    });
    assert_eq!(looks[0].0.len(), 301 + 43 + 43);
    assert!(looks.iter().all(|look| *look == looks[3]));
}

#[test]
fn no_turn_looks_at_more_than_its_budget() {
    const FILES: usize = 3_000;
    const ENTRIES: usize = 200;
    let mut test = test_tree(false);
    (0..FILES).for_each(|number| test.put(&format!("flat/{number}.jpg"), "x"));
    let most_and_turns = |test: &mut TestTree| {
        let (mut most, mut turns, mut changes) = (0, 0, 0);
        test.tree.check_root(test.now, &mut test.hints);
        test.tree.mark_all(true);
        for _ in 0..3 {
            test.now += Duration::from_secs(1);
            while test.tree.next_due().is_some_and(|due| due <= test.now) {
                let mut budget = TurnBudget::of(ENTRIES);
                let found = test.tree.turn(test.now, QUIET, &mut test.hints, &mut budget).len();
                (most, turns, changes) = (most.max(budget.spent()), turns + 1, changes + found);
                assert!(found <= ENTRIES + OVERSHOOT / 8);
            }
        }
        (most, turns, changes)
    };
    for (step, expected) in [("new", FILES), ("as known", 0), ("gone", FILES)] {
        if step == "gone" {
            fs::remove_dir_all(test.root.join("flat")).unwrap();
        }
        let (most, turns, changes) = most_and_turns(&mut test);
        assert!(most <= ENTRIES + OVERSHOOT, "{step}: {most} at once");
        assert!(turns >= FILES / ENTRIES, "{step}: {turns} turns");
        assert_eq!(changes, expected, "{step}");
    }
}

#[test]
fn a_hint_is_served_while_everything_is_looked_through() {
    let mut test = test_tree(false);
    (0..2_000).for_each(|number| test.put(&format!("z/{}/{number}.jpg", number % 100), "x"));
    test.put("a/one.jpg", "x");
    test.scan();
    test.tree.mark_all(true);
    let turn = |test: &mut TestTree| {
        let mut budget = TurnBudget::of(50);
        let found = test.tree.turn(test.now, QUIET, &mut test.hints, &mut budget);
        found.iter().filter_map(shown).collect::<Vec<_>>()
    };
    assert!(turn(&mut test).is_empty() && test.tree.is_scanned(), "a regular look is no reason to wait");
    test.put("a/two.jpg", "x");
    let hinted = test.root.join("a/two.jpg");
    test.tree.hint(&hinted, test.now);
    assert!(!test.tree.is_scanned());
    let found = std::iter::repeat_with(|| {
        test.now += Duration::from_millis(60);
        turn(&mut test)
    });
    assert_eq!(found.take(12).find(|found| !found.is_empty()), Some(vec!["+a/two.jpg".into()]));
    assert_eq!(test.tree.next_due(), Some(Duration::ZERO), "the rest is still being looked at");
}
