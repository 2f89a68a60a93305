#!/usr/bin/perl
# What a member of the service's group may do to it, done without pause: attacker.pl SECONDS PLACE SECRETS HASH PICTURES
#
# SECRETS is a folder that only the service may read, with secret.txt, which contains the word SECRET, and secret.png, of the content
# HASH; PICTURES one with pictures of any kind. What it read or changed and must not have is printed, a line each. Each attack is a process of its own
# that begins again until the time is over, and removes what it has made, so that the disk does not fill. Answers of others are left
# alone: whoever may write into the folder of answers may delete them, and the service cannot help that.
# Needs nothing but the perl of a minimal Debian.
use strict;
use warnings;
use Fcntl qw(:flock O_WRONLY O_CREAT O_EXCL);
use POSIX qw(mkfifo);

my ($seconds, $place, $secrets, $hash, $pictures) = @ARGV;
my ($end, $query, $answer, $state) = (time + $seconds, "$place/query", "$place/answer", "$place/db/state");
my $inventory = "$place/db/img_inventory_raw";
my @pictures = grep { -f } glob("$pictures/*/*"), glob("$pictures/*");
@pictures or die "no pictures in $pictures\n";
my @secrets = ("$secrets/secret.txt", "$secrets/secret.png");
my ($number, $pattern) = (0, qr/SECRET|\Q$hash\E/);
my %seen;

sub one_of { $_[rand @_] }
sub pause { select undef, undef, undef, rand $_[0] }
sub name { $number++; "evil-$$-$number" }
sub bytes_of { local $/; open my $in, '<', $_[0] or return ''; binmode $in; <$in> }
sub put {
    my ($path, $bytes) = @_;
    open my $out, '>', $path or return;
    binmode $out;
    print $out $bytes;
    close $out;
}
sub clear { my ($folder, $pattern) = @_; unlink glob "$folder/$pattern"; system 'rm', '-rf', glob "$folder/$pattern" }

# A PNG whose header promises more pixels than there are bytes to make them of.
sub bomb {
    my ($width, $height) = @_;
    my @table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0xEDB88320 : $c >> 1 for 1 .. 8; $c } 0 .. 255;
    my $crc = sub { my $c = 0xFFFFFFFF; $c = $table[($c ^ ord) & 255] ^ ($c >> 8) for split //, $_[0]; $c ^ 0xFFFFFFFF };
    my $chunk = sub { pack('N', length $_[1]) . "$_[0]$_[1]" . pack 'N', $crc->("$_[0]$_[1]") };
    "\x89PNG\r\n\x1a\n" . $chunk->('IHDR', pack 'NNCCCCC', $width, $height, 8, 6, 0, 0, 0) . $chunk->('IDAT', "\x78\x9c" . "\0" x 2000);
}

my %attacks = (
    # A good file that has settled is exchanged for a link.
    exchange_file => sub {
        my $path = "$query/" . name() . '.png';
        put($path, bytes_of(one_of(@pictures)));
        pause(1);
        symlink one_of(@secrets), "$path.link" and rename "$path.link", $path;
        pause(0.2);
        unlink $path;
    },
    exchange_file_quickly => sub {
        my $path = "$query/" . name() . '.png';
        put("$query/.good-$$", bytes_of(one_of(@pictures)));
        for (1 .. 200) {
            symlink one_of(@secrets), "$query/.link-$$" and rename "$query/.link-$$", $path;
            link "$query/.good-$$", "$query/.next-$$" and rename "$query/.next-$$", $path;
            pause(0.01);
        }
        unlink $path, "$query/.good-$$";
    },
    exchange_folder => sub {
        my $set = "$query/" . name();
        mkdir $set;
        put("$set/secret.png", bytes_of(one_of(@pictures)));
        put("$set/query.toml", "results = 3\n");
        pause(1);
        rename $set, "$set.aside" and symlink $secrets, $set;
        pause(0.3);
        unlink $set;
        system 'rm', '-rf', "$set.aside";
    },
    settings_are_links => sub {
        my $set = "$query/" . name();
        mkdir $set;
        put("$set/a.png", bytes_of(one_of(@pictures)));
        symlink "$secrets/secret.txt", "$set/query.toml";
        pause(1);
        system 'rm', '-rf', $set;
    },
    settings_are_deep => sub {
        my $set = "$query/" . name();
        mkdir $set;
        put("$set/a.png", bytes_of(one_of(@pictures)));
        put("$set/query.toml", 'k = ' . '[' x one_of(60_000, 1_500_000));
        pause(3);
        system 'rm', '-rf', $set;
    },
    not_files => sub {
        my $path = one_of($query, $inventory, "$place/db/img_train_raw") . '/' . name() . '.png';
        one_of(sub { mkfifo $path, 0666 }, sub { symlink '/dev/zero', $path }, sub { symlink $path, $path }, sub { mkdir $path },
            sub { symlink one_of(@secrets), $path })->();
        pause(1);
        unlink $path;
        rmdir $path;
    },
    flood => sub {
        my $bytes = bytes_of(one_of(@pictures));
        put("$query/" . name() . '.png', $bytes . $_) for 1 .. 150;
        pause(20);
        clear($query, "evil-$$-*");
        clear($answer, "result_evil-$$-*");
    },
    large_set => sub {
        my $set = "$query/" . name();
        mkdir $set;
        my $bytes = bytes_of(one_of(@pictures));
        put("$set/$_.png", $bytes . $_) for 1 .. 400;
        for (1 .. 10) {
            pause(3);
            put("$set/grows-$_.png", $bytes . "grows $_");
        }
        system 'rm', '-rf', $set;
    },
    bombs => sub {
        my $folder = one_of($query, $inventory);
        put("$folder/" . name() . '.png', bomb(one_of(12_200, 60_000), 12_200));
        pause(2);
        clear($folder, "evil-$$-*");
    },
    garbage => sub {
        my $bytes = bytes_of(one_of(@pictures));
        substr($bytes, rand length $bytes, 1) = chr rand 256 for 1 .. 20;
        my $folder = one_of($query, $inventory);
        put("$folder/" . name() . one_of('.jpg', '.png', '.tif', '.webp'), $bytes);
        pause(0.5);
        clear($folder, "evil-$$-*");
    },
    renames => sub {
        my $folder = "$inventory/" . name();
        mkdir $folder;
        link one_of(@pictures), "$folder/$_.png" or put("$folder/$_.png", bytes_of(one_of(@pictures))) for 1 .. 20;
        for (1 .. 50) {
            rename $folder, "$folder-x" and rename "$folder-x", $folder;
            pause(0.05);
        }
        system 'rm', '-rf', glob "$folder*";
    },
    deep_folders => sub {
        my $top = "$query/" . name();
        my $path = $top;
        for (1 .. 90) { mkdir $path; $path .= '/d' }
        pause(3);
        system 'rm', '-rf', $top;
    },
    odd_names => sub {
        my $path = "$query/$$-" . one_of("a\nb", '#50%', '<script>alert(1)<%2fscript>', "\xff\xfe", '$(reboot)', "'\";--", 'n' x 240) . '.png';
        put($path, bytes_of(one_of(@pictures)));
        pause(3);
        unlink $path;
    },
    answers_are_links => sub {
        my $query_name = name();
        my $target = one_of(@secrets, "$state/catalog.sqlite", '/dev/zero', '/etc/artificio/artificio.toml');
        symlink $target, "$answer/result_$query_name.$_" for 'json', 'png';
        put("$query/$query_name.png", bytes_of(one_of(@pictures)));
        pause(4);
        unlink glob "$answer/result_$query_name.*";
        unlink "$query/$query_name.png";
    },
    answers_are_folders => sub {
        my $query_name = name();
        mkdir "$answer/result_$query_name.json";
        put("$query/$query_name.png", bytes_of(one_of(@pictures)));
        pause(4);
        system 'rm', '-rf', glob "$answer/result_$query_name.*";
        unlink "$query/$query_name.png";
    },
    planted_records => sub {
        my $path = "$answer/result_" . name() . '.json';
        one_of(
            sub { mkfifo $path, 0666 },
            sub { symlink '/dev/zero', $path },
            sub { put($path, '[' x 1_000_000) },
            sub { put($path, '{"status":"ok","message":"","answered_s":9e18,"query":{"name":"#%"},"matches":[]}') },
            sub { put($path, ' ' x 20_000_000) },
        )->();
        pause(2);
        unlink $path;
    },
    unfinished_names => sub {
        symlink "$state/catalog.sqlite", sprintf '%s/.artificio-%016x', $answer, rand 2**53 for 1 .. 50;
        pause(1);
        unlink glob "$answer/.artificio-*";
    },
    state_folder => sub {
        for my $path ("$state/lock", "$state/catalog.sqlite", "$state/status.json", glob "$state/*/*") {
            open my $file, '+<', $path or next;
            print STDOUT "could write to $path\n";
        }
        for my $folder ($state, "$state/requests", "$state/under-way", "$state/pulse") {
            mkfifo "$folder/a.json", 0666 and print STDOUT "planted $folder/a.json\n";
            symlink '/dev/zero', "$folder/worker-0" and print STDOUT "planted $folder/worker-0\n";
            rename "$folder", "$folder-away" and print STDOUT "moved $folder\n";
        }
        my $file;
        open $file, '<', "$state/lock" and flock $file, LOCK_SH | LOCK_NB and print STDOUT "locked $state/lock\n";
        open $file, '<', "$secrets/secret.txt" and print STDOUT "read $secrets/secret.txt\n";
        pause(2);
    },
    kill => sub {
        for my $process (glob '/proc/[0-9]*') {
            my $id = substr $process, 6;
            kill 'KILL', $id and print STDOUT "killed $id\n" if bytes_of("$process/comm") =~ /^artificio/;
        }
        pause(5);
    },
    # Every answer is looked at for what only the service may read.
    read_answers => sub {
        for my $record (glob "$answer/result_*.json") {
            my @found = lstat $record;
            next unless @found && -f _ && $found[7] < 1 << 20;
            next if ($seen{$record} // '') eq "@found[1, 9]";
            $seen{$record} = "@found[1, 9]";
            print STDOUT "read a secret in $record\n" if bytes_of($record) =~ $pattern;
        }
    },
    leases => sub {
        my $path = "$query/" . name() . '.png';
        put($path, bytes_of(one_of(@pictures)));
        if (open my $file, '<', $path) { fcntl $file, 1024, 1; pause(3) }
        unlink $path;
    },
);

my @children;
for my $attack (sort keys %attacks) {
    my $child = fork;
    if (!$child) {
        srand $$;
        $SIG{PIPE} = 'IGNORE';
        my $times = 0;
        while (time < $end) { $attacks{$attack}->(); $times++; pause(0.1) }
        print STDERR "$attack: $times times\n";
        exit 0;
    }
    push @children, $child;
}
waitpid $_, 0 for @children;
