# SPDX-License-Identifier: Apache-2.0
# libvirt.sh — start what the manager stands on (system bus, virtlogd, libvirtd) where no service
# manager does it, and stop by process id what was started here and nothing else. Source it.
#
#   libvirt_up DIR     returns when qemu:///system answers; DIR keeps process ids and logs
#   libvirt_down DIR   stops, in reverse order, what libvirt_up started there
#
# A libvirt that answers already is used as it is. Needs root and Debian's packages dbus,
# libvirt-daemon-system, libvirt-clients, qemu-system-x86, swtpm, swtpm-tools.

LIBVIRT_URI=qemu:///system

# A stopped daemon stays a zombie until its parent asks, and kill -0 takes that for life.
libvirt_alive() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	[ "${stat%% *}" != Z ]
}

libvirt_wait() { # SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# In the background, in a session of its own, so that Ctrl-C ends the caller and not the daemon.
# The shell that becomes the daemon writes its own id: setsid forks when job control is on. What it
# starts runs as other users, who can't write where the caller keeps his temporary files.
libvirt_spawn() { # DIR NAME COMMAND...
	local dir=$1 name=$2
	shift 2
	rm -f "$dir/$name.pid"
	setsid env -u TMPDIR sh -c 'echo $$ >"$0" && exec "$@"' "$dir/$name.pid" "$@" \
		</dev/null >"$dir/$name.log" 2>&1 9>&- &
	libvirt_wait 60 test -s "$dir/$name.pid"
}

libvirt_bus_answers() {
	dbus-send --system --dest=org.freedesktop.DBus --print-reply / \
		org.freedesktop.DBus.GetId
}

# libvirt probes QEMU again and again (a minute and more for each domain) when /dev/kvm is there
# but QEMU's user can't open it. On a CPU without virtualization it is of no use anyway: a file
# system view of libvirtd's own then covers it.
libvirt_kvm_misleads() {
	[ -e /dev/kvm ] && ! grep -qE '^flags.*\<(svm|vmx)\>' /proc/cpuinfo &&
		! setpriv --reuid libvirt-qemu --regid libvirt-qemu --init-groups \
			sh -c '[ -r /dev/kvm ] && [ -w /dev/kvm ]' 2>/dev/null
}

libvirt_up() {
	local dir=$1
	mkdir -p "$dir" || return 1
	virsh -c "$LIBVIRT_URI" version >/dev/null 2>&1 && return 0

	if ! libvirt_bus_answers >/dev/null 2>&1; then
		mkdir -p /run/dbus && dbus-uuidgen --ensure || return 1
		rm -f /run/dbus/pid
		libvirt_spawn "$dir" dbus dbus-daemon --system --nofork --nopidfile
		libvirt_wait 60 libvirt_bus_answers || {
			echo "the system bus does not start: see $dir/dbus.log" >&2
			return 1
		}
	fi
	# Whatever made it first: the users of QEMU and swtpm have to get through.
	mkdir -p /run/libvirt && chmod 755 /run/libvirt || return 1
	if [ ! -S /run/libvirt/virtlogd-sock ] || ! libvirt_socket_answers /run/libvirt/virtlogd-sock; then
		libvirt_spawn "$dir" virtlogd virtlogd -p "$dir/virtlogd.lock"
		libvirt_wait 60 libvirt_socket_answers /run/libvirt/virtlogd-sock || {
			echo "virtlogd does not start: see $dir/virtlogd.log" >&2
			return 1
		}
	fi
	if libvirt_kvm_misleads; then
		libvirt_spawn "$dir" libvirtd unshare -m sh -c \
			'mount --bind /dev/null /dev/kvm && exec libvirtd -p "$1"' sh "$dir/libvirtd.lock"
	else
		libvirt_spawn "$dir" libvirtd libvirtd -p "$dir/libvirtd.lock"
	fi
	libvirt_wait 240 virsh -c "$LIBVIRT_URI" capabilities || {
		echo "libvirtd does not answer: see $dir/libvirtd.log" >&2
		return 1
	}
}

libvirt_socket_answers() {
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$1"
}

libvirt_down() {
	local dir=$1 name pid
	for name in libvirtd virtlogd dbus; do
		[ -f "$dir/$name.pid" ] || continue
		pid=$(cat "$dir/$name.pid")
		rm -f "$dir/$name.pid"
		libvirt_alive "$pid" || continue
		kill "$pid"
		libvirt_wait 60 eval "! libvirt_alive $pid" || kill -9 "$pid"
		wait "$pid" 2>/dev/null
	done
	return 0
}
