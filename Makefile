# Installs what `cargo build --release` made:   sudo make install           below /usr/local
#                                               make install PREFIX=/usr DESTDIR=pkg     for packagers
# For one person, without root:                 make install-user           below ~/.local
# A Debian package (needs cargo-deb, dpkg-dev): make deb                    builds the release and puts it in target/debian
#                     of an existing program:  make deb BINARY=target/debug/artificio [DEB_VERSION=0.1.0-2]
# An archive for any Linux since 2018:          make dist                    in target/dist, with checksums and bill of materials
# What there is to read, as one site:           make book                    in target/book (needs mdbook)
# docs/administration.md says what to do after that, and what `make uninstall` leaves.

PREFIX ?= /usr/local
DESTDIR ?=
SYSCONFDIR ?= /etc
# In the archive that `make dist` makes, the program lies beside this file.
BINARY ?= $(if $(wildcard artificio),./artificio,target/release/artificio)
INSTALL ?= install

BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
SHAREDIR = $(PREFIX)/share
# systemd reads units only below these prefixes.
UNITDIR = $(if $(filter /usr /usr/local,$(PREFIX)),$(LIBDIR)/systemd,$(SHAREDIR)/systemd)
COMPLETIONS = bash:bash-completion/completions/artificio zsh:zsh/site-functions/_artificio fish:fish/vendor_completions.d/artificio.fish
# "Find similar pictures" in file managers: an application that opens pictures, an entry in Dolphin's menu, the icon.
DESKTOP = assets/desktop/artificio-find-similar.desktop:applications/artificio-find-similar.desktop \
	assets/desktop/artificio-dolphin.desktop:kio/servicemenus/artificio-find-similar.desktop \
	src/web/page/icon.svg:icons/hicolor/scalable/apps/artificio.svg

# The files of the Debian package are collected here; Cargo.toml names this folder too.
PACKAGE = target/package
DEB_DIR ?= target/debian
CARGO_DEB ?= cargo deb
# The maintainer of a package is whoever builds it.
DEB_MAINTAINER = $(if $(DEBEMAIL),--maintainer '$(or $(DEBFULLNAME),$(DEBEMAIL)) <$(DEBEMAIL)>')

# `make dist`: built with zig for an old C library, that of Debian 10 and RHEL 8; needs cargo-zigbuild, cargo-cyclonedx and jq.
DIST_TARGET ?= x86_64-unknown-linux-gnu
DIST_GLIBC ?= 2.28
DIST_DIR ?= target/dist
DIST = artificio-$(VERSION)-$(DIST_TARGET)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

.PHONY: all book deb dist install install-program install-user uninstall

all: $(BINARY)

$(BINARY):
	cargo build --release --locked

install-program: $(BINARY)
	$(INSTALL) -D -m 755 $(BINARY) $(DESTDIR)$(BINDIR)/artificio
	$(BINARY) man --dir $(DESTDIR)$(SHAREDIR)/man/man1
	for pair in $(COMPLETIONS); do \
		file=$(DESTDIR)$(SHAREDIR)/$${pair#*:}; \
		$(INSTALL) -d "$$(dirname "$$file")" && $(BINARY) completions "$${pair%%:*}" > "$$file" || exit 1; \
	done
	$(INSTALL) -D -m 755 assets/desktop/find-similar $(DESTDIR)$(LIBDIR)/artificio/find-similar
	for pair in $(DESKTOP); do \
		$(INSTALL) -d "$$(dirname "$(DESTDIR)$(SHAREDIR)/$${pair#*:}")" && \
			sed 's#/usr/lib/artificio#$(LIBDIR)/artificio#' "$${pair%%:*}" > "$(DESTDIR)$(SHAREDIR)/$${pair#*:}" || exit 1; \
	done
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)/user
	sed 's#/usr/bin/artificio#$(BINDIR)/artificio#' systemd/artificio-user.service > $(DESTDIR)$(UNITDIR)/user/artificio.service

install: install-program
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)/system
	sed 's#/usr/bin/artificio#$(BINDIR)/artificio#' systemd/artificio.service > $(DESTDIR)$(UNITDIR)/system/artificio.service
	sed -f systemd/instance.sed systemd/artificio.service | sed 's#/usr/bin/artificio#$(BINDIR)/artificio#' > $(DESTDIR)$(UNITDIR)/system/artificio@.service
	sed 's#/usr/bin/artificio#$(BINDIR)/artificio#' systemd/artificio-web.service > $(DESTDIR)$(UNITDIR)/system/artificio-web.service
	$(INSTALL) -m 644 systemd/artificio-web.socket $(DESTDIR)$(UNITDIR)/system/artificio-web.socket
	$(INSTALL) -D -m 644 systemd/artificio.sysusers $(DESTDIR)$(LIBDIR)/sysusers.d/artificio.conf
	$(INSTALL) -D -m 644 systemd/artificio.tmpfiles $(DESTDIR)$(LIBDIR)/tmpfiles.d/artificio.conf
	test -e $(DESTDIR)$(SYSCONFDIR)/artificio/artificio.toml || \
		$(INSTALL) -D -m 644 config/artificio.toml $(DESTDIR)$(SYSCONFDIR)/artificio/artificio.toml

# Builds the release, unless BINARY names another program.
deb:
	$(if $(filter file,$(origin BINARY)),cargo build --release --locked)
	rm -rf $(PACKAGE)/man1
	$(INSTALL) -d $(PACKAGE)
	strip --strip-unneeded --remove-section=.comment --remove-section=.note -o $(PACKAGE)/artificio $(BINARY)
	$(BINARY) man --dir $(PACKAGE)/man1
	for shell in bash zsh fish; do $(BINARY) completions $$shell > $(PACKAGE)/artificio.$$shell || exit 1; done
	sed -f systemd/instance.sed systemd/artificio.service > $(PACKAGE)/artificio@.service
	tools/crate_licences.sh > $(PACKAGE)/CRATES
	gzip -9nf $(PACKAGE)/CRATES
	$(CARGO_DEB) --package artificio --no-build --no-strip --locked $(DEB_MAINTAINER) $(if $(DEB_VERSION),--deb-version $(DEB_VERSION)) \
		$(DEB_FLAGS) --output $(DEB_DIR)/

# The time of the last commit, so that what is packed does not depend on when.
dist: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
dist:
	cargo zigbuild --release --locked --target $(DIST_TARGET).$(DIST_GLIBC)
	rm -rf $(DIST_DIR)
	$(INSTALL) -d $(DIST_DIR)/$(DIST)
	strip --strip-unneeded -o $(DIST_DIR)/$(DIST)/artificio $(or $(CARGO_TARGET_DIR),target)/$(DIST_TARGET)/release/artificio
	cp -r --parents Makefile README.md CHANGELOG.md NOTICE LICENSE-APACHE LICENSE-MIT assets/LICENSE* assets/fonts/LICENSE* \
		assets/desktop config docs src/web/page/icon.svg systemd $(DIST_DIR)/$(DIST)
	tools/crate_licences.sh > $(DIST_DIR)/$(DIST)/CRATES
	tools/sbom.sh $(DIST_TARGET) > $(DIST_DIR)/$(DIST).cdx.json
	tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go-w --mtime=@$(SOURCE_DATE_EPOCH) \
		-C $(DIST_DIR) -c $(DIST) | gzip -9n > $(DIST_DIR)/$(DIST).tar.gz
	rm -r $(DIST_DIR)/$(DIST)
	cd $(DIST_DIR) && sha256sum $(DIST).tar.gz $(DIST).cdx.json > SHA256SUMS

book:
	tools/book.sh

install-user:
	$(MAKE) install-program PREFIX=$(HOME)/.local

# Settings, pictures, answers and state stay.
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/artificio $(DESTDIR)$(SHAREDIR)/man/man1/artificio.1 \
		$(DESTDIR)$(SHAREDIR)/man/man1/artificio-*.1
	rm -f $(foreach pair,$(DESKTOP),$(DESTDIR)$(SHAREDIR)/$(lastword $(subst :, ,$(pair)))) $(DESTDIR)$(LIBDIR)/artificio/find-similar
	rm -f $(foreach pair,$(COMPLETIONS),$(DESTDIR)$(SHAREDIR)/$(lastword $(subst :, ,$(pair))))
	rm -f $(DESTDIR)$(UNITDIR)/system/artificio-web.service $(DESTDIR)$(UNITDIR)/system/artificio-web.socket
	rm -f $(DESTDIR)$(UNITDIR)/system/artificio.service $(DESTDIR)$(UNITDIR)/system/artificio@.service $(DESTDIR)$(UNITDIR)/user/artificio.service
	rm -f $(DESTDIR)$(LIBDIR)/sysusers.d/artificio.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/artificio.conf
