# Makes artificio@.service of artificio.service: a service for each of several stores on one machine, with folders and settings of its own.
s#^\# artificio as a system service.*#\# One of several stores on this machine: systemctl enable --now artificio@NAME, docs/administration.md. Made of artificio.service.#
s#^Description=.*#& (%i)#
s#/var/lib/artificio#/var/lib/artificio-%i#g
s#^StateDirectory=artificio$#StateDirectory=artificio-%i#
s#/etc/artificio/artificio\.toml#/etc/artificio/%i.toml#g
s#systemctl edit artificio,#systemctl edit artificio@NAME,#
