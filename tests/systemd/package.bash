# The ways onto a machine and off it again: the Debian package and `make install`. Sourced by `run`.

PACKAGES=
# Everything that belongs to the user: pictures and answers. index.html only lists the answers.
sums() { (cd "$TREE$PLACE" && find query answer db/img_* -type f ! -name index.html -exec sha256sum {} + | sort -k 2); }
dpkg_inside() { inside env DEBIAN_FRONTEND=noninteractive dpkg "$@" </dev/null; }
installed_version() { inside dpkg-query -W -f '${Version}' artificio; }

# One of the program as it is, and one that differs in its version alone.
make_packages() {
    PACKAGES=$LOGS/packages
    mkdir -p "$PACKAGES"
    if [ -n "$1" ]; then
        cp "$1" "$PACKAGES/first.deb"
    else
        make -s deb BINARY="$PROGRAM" DEB_DIR="$PACKAGES/made" DEB_FLAGS=--fast && mv "$PACKAGES"/made/*.deb "$PACKAGES/first.deb" || return 1
    fi
    dpkg-deb -R "$PACKAGES/first.deb" "$PACKAGES/open"
    sed -i 's/^Version: .*/&+later/' "$PACKAGES/open/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone -b "$PACKAGES/open" "$PACKAGES/later.deb" >/dev/null
}

place_packages() {
    mkdir -p "$TREE/var/tmp/packages"
    cp "$PACKAGES"/*.deb "$TREE/var/tmp/packages/"
}

# An image is made where no systemd runs, and has to come up with the service.
check_package_offline() {
    unshare --mount sh -ec 'mount -t proc proc "$1/proc"; chroot "$1" dpkg -i /var/tmp/packages/first.deb' sh "$TREE" </dev/null
    chroot "$TREE" id artificio
    [ "$(chroot "$TREE" stat -c '%a %U:%G' $PLACE/query)" = "2775 artificio:artificio" ]
    [ -L "$TREE/etc/systemd/system/multi-user.target.wants/artificio.service" ]
    echo "installed in a tree that is not booted: user, folders, enabled"
}

check_package_at_boot() {
    await 60 is_active
    status_has '"state": "ready"'
    wipe_installation
    echo "came up with the tree"
}

check_make_install() {
    make -s install PREFIX=/usr DESTDIR="$TREE" BINARY="$PROGRAM"
    inside systemd-sysusers
    inside systemd-tmpfiles --create artificio.conf
    inside systemctl daemon-reload
    [ "$(inside stat -c '%a %U:%G' $PLACE/query)" = "2775 artificio:artificio" ]
    [ "$(inside readlink $PLACE/config)" = /etc/artificio ]
    [ -s "$TREE/usr/share/man/man1/artificio.1" ]
    [ -s "$TREE/usr/share/man/man1/artificio-query.1" ]
    inside systemctl enable --quiet --now artificio
    is_active
    inside systemctl disable --quiet --now artificio
    make -s uninstall PREFIX=/usr DESTDIR="$TREE"
    [ -s "$TREE$SETTINGS" ] && [ -s "$TREE$PLACE/db/state/catalog.sqlite" ] && [ ! -e "$TREE/usr/bin/artificio" ]
    [ -z "$(find "$TREE/usr/share/man/man1" -name 'artificio*')" ]
    wipe_installation
    echo "started; uninstall leaves settings, pictures and state"
}

check_package_install() {
    dpkg_inside -i /var/tmp/packages/first.deb
    # Started and enabled without a further word.
    is_active
    status_has '"state": "ready"'
    [ "$(unit UnitFileState)" = enabled ]
    [ -z "$(inside dpkg --verify artificio)" ]
    [ "$(inside dpkg-query -W -f '${Conffiles}' artificio | awk '{ print $1 }')" = $SETTINGS ]
    [ "$(inside stat -c '%a %U:%G' $PLACE/query)" = "2775 artificio:artificio" ]
    [ "$(inside stat -c '%a %U:%G' $PLACE/db/state)" = "750 artificio:artificio" ]
    [ "$(inside stat -c %a $PLACE/db/state/lock)" = 600 ]
    # A member of the group sees the status, nobody else does.
    inside setpriv --reuid nobody --regid artificio --clear-groups /usr/bin/artificio --root $PLACE status >/dev/null
    [ -z "$(inside setpriv --reuid nobody --regid nogroup --clear-groups cat $PLACE/db/state/status.json 2>/dev/null || true)" ]
    [ "$(inside readlink $PLACE/config)" = /etc/artificio ]
    for file in man/man1/artificio{,-query}.1.gz bash-completion/completions/artificio zsh/vendor-completions/_artificio \
        fish/vendor_completions.d/artificio.fish doc/artificio/{copyright,changelog.Debian.gz,CRATES.gz,NOTICE,README.md,docs/administration.md}; do
        # The tree may be configured to leave documentation out.
        inside dpkg -L artificio | grep -x "/usr/share/$file" >/dev/null
    done
    inside /usr/bin/artificio --version
    echo "dpkg -i: $(installed_version), enabled, running"
}

# Queries before, during and after; settings that were changed stay without a question.
check_package_upgrade() {
    local before first number=0 settings
    inside sed -i 's/^results = .*/results = 4/' $SETTINGS
    settings=$(sha256sum <"$TREE$SETTINGS")
    before=$(unit MainPID)
    first=$(unit ExecMainStartTimestampMonotonic)
    drop upgrade_before
    dpkg_inside -i /var/tmp/packages/later.deb >"$LOGS/upgrade.log" 2>&1 &
    while jobs -r | grep dpkg_inside >/dev/null; do
        number=$((number + 1))
        drop "upgrade_during_$number"
        sleep 0.1
    done
    wait $!
    drop upgrade_after
    is_active
    [ "$(unit MainPID)" != "$before" ] && [ "$(unit ExecMainStartTimestampMonotonic)" -gt "$first" ]
    case $(installed_version) in *+later) ;; *) echo "not the later version"; return 1 ;; esac
    for name in upgrade_before $(seq -f 'upgrade_during_%g' $number) upgrade_after; do
        await 60 answered "$name"
    done
    [ "$(sha256sum <"$TREE$SETTINGS")" = "$settings" ]
    [ "$(grep -c '"rank"' "$TREE$PLACE/answer/result_upgrade_after.json")" = 4 ]
    echo "to $(installed_version): 1 query before, $number during, 1 after, all answered; settings kept"
}

check_package_disabled() {
    inside systemctl disable --quiet --now artificio
    dpkg_inside -i /var/tmp/packages/later.deb
    [ "$(unit ActiveState)" = inactive ] && [ "$(unit UnitFileState)" = disabled ]
    inside systemctl enable --quiet --now artificio
    is_active
    echo "a service that was disabled and stopped stays so when it is upgraded"
}

check_package_remove() {
    local people settings catalog
    people=$(sums)
    [ -n "$people" ]
    settings=$(sha256sum <"$TREE$SETTINGS")
    dpkg_inside --remove artificio
    [ ! -e "$TREE/usr/bin/artificio" ] && [ "$(unit ActiveState)" = inactive ] && [ "$(unit LoadState)" != loaded ]
    [ "$(sums)" = "$people" ]
    [ "$(sha256sum <"$TREE$SETTINGS")" = "$settings" ] && [ -s "$TREE$PLACE/db/state/catalog.sqlite" ]
    catalog=$(stat -c %i "$TREE$PLACE/db/state/catalog.sqlite")
    dpkg_inside -i /var/tmp/packages/later.deb
    is_active
    [ "$(sha256sum <"$TREE$SETTINGS")" = "$settings" ] && [ "$(stat -c %i "$TREE$PLACE/db/state/catalog.sqlite")" = "$catalog" ]
    ask removed
    # Nothing was answered again.
    [ "$(sums | grep -v removed)" = "$people" ]
    echo "pictures, answers, settings and state stay, and serve again after an installation"
}

check_package_purge() {
    local people
    people=$(sums)
    dpkg_inside --purge artificio
    [ "$(sums)" = "$people" ]
    [ ! -e "$TREE$PLACE/db/state" ] && [ ! -e "$TREE/etc/artificio" ] && [ ! -e "$TREE$PLACE/config" ]
    [ -z "$(find "$TREE/etc/systemd" "$TREE/var/lib/systemd/deb-systemd-helper-enabled" -name '*artificio*')" ]
    dpkg_inside -i /var/tmp/packages/first.deb
    is_active
    [ "$(grep -c '^results = 5' "$TREE$SETTINGS")" = 1 ]
    ask purged
    echo "state and settings are gone, $(wc -l <<<"$people") pictures and answers are the same; installed again, it answers"
}

# Where nothing belongs to the user, nothing is left.
check_package_purge_of_all() {
    inside systemctl stop artificio
    inside sh -c "rm -r $PLACE/query/* $PLACE/answer/result_* $PLACE/db/img_inventory_raw/*"
    dpkg_inside --purge artificio
    [ ! -e "$TREE$PLACE" ] || { find "$TREE$PLACE"; return 1; }
    echo "no pictures, no answers: $PLACE is gone"
}
