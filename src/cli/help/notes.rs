//! The remarks, examples and exit codes of every command.

use super::Notes;

const DONE: (u8, &str) = (0, "done");
const FAILED: (u8, &str) = (1, "failed");
const FAILED_OR_STOPPED: (u8, &str) = (1, "failed or stopped");
const USAGE: (u8, &str) = (2, "wrong usage or settings");
const SECOND_INSTANCE: (u8, &str) = (3, "another instance works on the same root");

/// The notes of a command, named as it is called: "" is the program itself, "models rollback" the command of a command.
pub fn notes_of(name: &str) -> Option<&'static Notes> {
    Some(match name {
        "" => &PROGRAM,
        "run" => &RUN,
        "demo" => &DEMO,
        "serve" => &SERVE,
        "query" => &QUERY,
        "evaluate" => &EVALUATE,
        "train" => &TRAIN,
        "models" => &MODELS,
        "models rollback" => &ROLLBACK,
        "check" => &CHECK,
        "status" => &STATUS,
        "map" => &MAP,
        "reload" => &RELOAD,
        "duplicates" => &DUPLICATES,
        "export" => &EXPORT,
        "completions" => &COMPLETIONS,
        "man" => &MAN,
        _ => return None,
    })
}

static PROGRAM: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio demo", "try it on pictures that it draws itself"),
        ("artificio", "run the service on the folders below this one"),
        ("artificio --root /srv/pictures", "... below another one"),
        ("cp burger.jpg query/", "ask; the answer is answer/result_burger.png"),
    ],
    exit_codes: &[DONE, FAILED, USAGE, SECOND_INSTANCE],
};

static RUN: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio run", "on the folders below this one"),
        ("artificio --root /srv/pictures run", "on those below another one"),
        ("artificio --config /etc/artificio.toml run", "with settings from elsewhere"),
        ("artificio reload", "have them read again"),
    ],
    exit_codes: &[(0, "stopped by a signal"), FAILED, USAGE, SECOND_INSTANCE],
};

static DEMO: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio demo", "pictures and answers go to ./artificio-demo"),
        ("artificio demo /tmp/try", "... to another folder"),
        ("artificio demo --watch", "keep running, for pictures dropped into its query/"),
    ],
    exit_codes: &[DONE, FAILED, (2, "the folder holds other things"), (3, "another instance works in it")],
};

static SERVE: Notes = Notes {
    remarks: &[
        "The page puts what is dropped on it into query/ and shows what comes into answer/, so the service must run as well: artificio run. Only this machine reaches it, unless it is given another address and a token: --listen 0.0.0.0:8484 --token-file FILE.",
    ],
    examples: &[
        ("artificio serve", "a page at http://127.0.0.1:8484/"),
        ("artificio serve --listen 9000", "... at another port"),
        ("artificio serve --listen unix:page.sock", "... for a web server here"),
    ],
    exit_codes: &[FAILED_OR_STOPPED, USAGE],
};

static QUERY: Notes = Notes {
    remarks: &["Answers from the pictures the service has read, while it runs or is stopped. Writes nothing but FILE."],
    examples: &[
        ("artificio query burger.jpg", "a table, the most similar first"),
        ("artificio query burger.jpg --why", "... and why each is there"),
        ("artificio query burger.jpg --json", "the record, as in answer/"),
        ("artificio query burger.jpg --csv", "for a spreadsheet"),
        ("artificio query burger.jpg -0 | xargs -0 ls", "only their paths"),
        ("artificio query burger.jpg --open", "draw the sheet and show it"),
        ("artificio query a.jpg b.jpg --sheet ab.png", "both together as one query set"),
    ],
    exit_codes: &[(0, "answered"), (1, "not answered (the reason is printed)"), USAGE],
};

static EVALUATE: Notes = Notes {
    remarks: &[
        "DIR holds inventory/ and query/ (and train/, if the model is to learn from other pictures than the inventory).",
        "A picture's label is the first folder below inventory/ or query/ where every picture lies in one, else its file \
         name up to \"__\" or its leading letters: burger_03.jpg is a burger. A CSV file holds a path below DIR and a label \
         a line: query/IMG_2210.jpg,burger.",
        "Rows: artificio is what the service would answer; untaught the same if folders taught it nothing; features (the \
         network as published), histogram and pixels are baselines; euclidean is artificio by the other metric; set_mean \
         and set_nearest search with up to three pictures of a label at once.",
        "P@1, P@5, P@10: share of the first result, the first five, the first ten, with the query's label. R@5: share of \
         queries with a right answer among the first five. mAP: mean average precision. 95 %: what the figure would be \
         with other queries of the same kinds (bootstrap).",
        "With --leave-one-out no picture is answered by a model that has seen it: ten models answer, each trained \
         without a tenth of the pictures.",
    ],
    examples: &[
        ("artificio evaluate pictures", "each query against the inventory"),
        ("artificio evaluate pictures --leave-one-out", "each picture against the others"),
        ("artificio evaluate pictures --csv out.csv", "a line for each query"),
        ("artificio evaluate pictures --per-label", "a line for each label"),
        ("artificio evaluate pictures --encoder all", "both encoders; trains for minutes"),
        ("artificio evaluate pictures --json", "for scripts"),
    ],
    exit_codes: &[DONE, FAILED_OR_STOPPED, USAGE],
};

static EXPORT: Notes = Notes {
    remarks: &[
        "A row for each picture of the inventory that was read, in the order of the paths. Embeddings are what answers are found by; the cosine \
         of two is their similarity. They change with every model; features do not.",
        "docs/catalog.md names the views by which other programs read the catalog itself. There is no Parquet: pandas and DuckDB make it of a CSV \
         file.",
    ],
    examples: &[
        ("artificio export embeddings out.npy", "for numpy.load; paths in out.npy.paths"),
        ("artificio export features out.csv", "a path and 1,280 numbers a line"),
    ],
    exit_codes: &[DONE, (1, "no picture has been read yet, or the file cannot be written"), USAGE],
};

static TRAIN: Notes = Notes {
    remarks: &[
        "A running service does the training along with its work, and this command follows it. Without one, this \
                command reads as many pictures as it needs and trains; queries are left alone.",
    ],
    examples: &[
        ("artificio train", "on the folders below the current one"),
        ("artificio train --report", "... and write artificio-report/report.html on it"),
        ("artificio train --json", "for scripts"),
    ],
    exit_codes: &[
        (0, "the new model serves"),
        (1, "it was refused or nothing could be trained"),
        USAGE,
        (3, "another instance works on the same root and does not answer"),
    ],
};

static MODELS: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio models", "all models, and which one serves"),
        ("artificio models --json", "for scripts"),
        ("artificio models rollback", "the previous one takes over, at once"),
        ("artificio models rollback features", "the network as it is, before any training"),
    ],
    exit_codes: &[DONE, FAILED, USAGE],
};

static ROLLBACK: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio models rollback", "the previous one takes over, at once"),
        ("artificio models rollback features", "the network as it is, before any training"),
    ],
    exit_codes: &[(0, "that model serves"), (1, "there is no such model"), USAGE],
};

static CHECK: Notes = Notes {
    remarks: &[
        "Read-only; notes do not change the exit code. As ExecStartPre=-/usr/bin/artificio check of a unit it writes \
                its findings to the journal.",
    ],
    examples: &[
        ("artificio check", "on the folders below this one"),
        ("artificio --root /srv/pictures check --json", "for scripts"),
    ],
    exit_codes: &[(0, "no problems, though there may be notes"), (1, "there is something to fix"), (2, "wrong usage")],
};

static STATUS: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio status", "of the service on the current folder"),
        ("artificio status --watch", "until Ctrl-C, or until the service ends"),
        ("artificio status --json", "for scripts: db/state/status.json"),
        ("artificio status --watch --json", "one line for every change"),
    ],
    exit_codes: &[(0, "it runs"), (1, "it does not"), (2, "wrong usage")],
};

static MAP: Notes = Notes {
    remarks: &["Similar pictures lie together. The catalog is read as it is; a running service is not disturbed."],
    examples: &[
        ("artificio map", "artificio-map.jpg and .html, here"),
        ("artificio map map.html", "only the page, to be opened in a browser"),
        ("artificio map --limit 1000 map.jpg", "a thousand of the pictures, evenly chosen"),
    ],
    exit_codes: &[DONE, FAILED_OR_STOPPED, USAGE],
};

static RELOAD: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio reload", "the service on the folders below this one"),
        ("sudo systemctl reload artificio", "the system's service: does the same"),
    ],
    exit_codes: &[
        (0, "the settings are in force"),
        (1, "they are not (a mistake in them, or nothing runs)"),
        (2, "wrong usage"),
    ],
};

static DUPLICATES: Notes = Notes {
    remarks: &[
        "Pairs that look similar to the network, or in outline, are compared pixel by pixel, then in detail: one picture is \
         searched for in the other, as it is, mirrored, rotated or tilted. In each group there is a picture that all others \
         are copies of. No picture is changed or removed.",
        "Certain copies agree in detail, also if they were cropped, rotated by any angle, photographed aslant, recoloured, framed, \
         given a caption, or lie in a screenshot or a collage. Possible ones look the same when they are small: packages of \
         one design, drawings of one symbol, photographs taken one after the other may be among them. --alike 0.96 leaves \
         out a third of these.",
        "A picture with next to no shape in it, such as an empty page, is found only where it is there byte for byte. Under \
         the convolutional encoder four in ten of those cropped to three quarters are missed, and most rotated ones.",
        "* marks the copy to keep: the one with the most pixels, or as --keep says. --script writes a shell script that moves the \
         certain copies into a folder; read it first. --not-same writes to not-the-same.txt beside the settings, which \
         goes by what is in the files and not by their names.",
        "1,000 small pictures take half a minute of one core, 30,000 some three minutes, and large photographs longer: the files of \
         up to 4,096 are read for their details.",
    ],
    examples: &[
        ("artificio duplicates", "groups, on the terminal"),
        ("artificio duplicates --html copies.html", "... and as a page with pictures"),
        ("artificio duplicates --alike 0.98", "only near-identical pictures"),
        ("artificio duplicates --across-folders", "only in different folders"),
        ("artificio duplicates --reference archive", "only copies of what is there"),
        ("artificio duplicates --script copies.sh", "then: sh copies.sh FOLDER"),
        ("artificio duplicates --not-same a.jpg b.jpg", "remember that they are not"),
    ],
    exit_codes: &[(0, "done, found or not"), FAILED_OR_STOPPED, USAGE],
};

static COMPLETIONS: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio completions bash > /usr/share/bash-completion/completions/artificio", ""),
        ("artificio completions zsh > /usr/share/zsh/vendor-completions/_artificio", ""),
        ("artificio completions fish > ~/.config/fish/completions/artificio.fish", ""),
        ("source <(artificio completions bash)", "only in this terminal"),
    ],
    exit_codes: &[],
};

static MAN: Notes = Notes {
    remarks: &[],
    examples: &[
        ("artificio man | man -l -", "read the page about the program"),
        ("artificio man --dir /usr/share/man/man1", "install the pages of all commands"),
    ],
    exit_codes: &[],
};
