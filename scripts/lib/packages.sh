# SPDX-License-Identifier: Apache-2.0
# packages.sh — the Debian packages that each activity needs, installed only where they are missing.
# Source it; then: packages_need build run test   (any of the groups below).
#
# Works on Debian 12 and 13 as root; elsewhere it names what is missing and fails.

packages_build="gcc libc6-dev meson ninja-build pkg-config protobuf-compiler protobuf-c-compiler
	libprotobuf-dev libprotobuf-c-dev libnghttp2-dev libmicrohttpd-dev libuv1-dev libssl-dev libvirt-dev libcbor-dev
	libtss2-dev libseccomp-dev libcap-dev libcurl4-openssl-dev libzip-dev libyajl-dev libsqlite3-dev libpq-dev
	libargon2-dev libp11-kit-dev libxml2-dev uthash-dev uuid-dev libzstd-dev zlib1g-dev python3"

# What a machine needs to launch virtual machines and run the demo.
packages_run="libvirt-daemon-system libvirt-clients dbus qemu-system-x86 qemu-utils ovmf swtpm
	swtpm-tools iproute2 nftables ca-certificates curl"

# What scripts/demo --web asks for links with.
packages_page="curl"

# What scripts/build-image needs on the host; all else comes from the release that it derives.
packages_image="apt dpkg debian-archive-keyring mount python3 util-linux"

# What scripts/package builds Debian packages with; git tells it which files are the project's.
packages_package="build-essential debhelper dpkg-dev git lintian"

# What tries packages by debian/tests.
packages_autopkgtest="$packages_package autopkgtest"

# What the iris example needs where the agent runs on the host itself.
packages_iris="python3 python3-venv python3-sklearn"

# What an owner's machine fetches wheels with.
packages_pip="python3 python3-pip"

# What the use cases train with where the agent runs on the host itself: what the image `torch` has.
packages_torch="$packages_pip python3-venv python3-torch python3-torchvision python3-matplotlib
	python3-seaborn python3-sklearn python3-pandas python3-joblib python3-pil"

# Simulated TEEs, for demonstrations: scripts/demo --tee.
packages_simulator="libfuse3-dev"

packages_test="libcmocka-dev clang clang-format-19 llvm gcovr libclang-rt-dev libfuse3-dev python3 python3-grpcio python3-grpc-tools
	python3-pkg-resources python3-cryptography python3-openssl python3-cbor2 tpm2-tools openssl nghttp2-client
	nghttp2-server libxml2-utils sqlite3 zip unzip xz-utils mmdebstrap git zsh fish lld wasi-libc
	libclang-rt-dev-wasm32 skopeo umoci systemd systemd-container postgresql chromium-headless-shell
	dbconfig-sqlite3 glewlwyd softhsm2 opensc openssh-server python3-prometheus-client $packages_iris $packages_pip"

# promtool is in the server's package (96 MB) there, and one of its own (85 MB) here; the runtime of WebAssembly is here alone.
packages_test_bookworm="prometheus"
packages_test_trixie="promtool libwasmedge-dev"

packages_of() { # RELEASE GROUP...
	local release=$1 group
	shift
	for group in "$@"; do
		eval "echo \$packages_$group \${packages_${group}_$release-}"
	done
}

packages_missing() { # GROUP...: those that dpkg does not know as installed
	local name
	# shellcheck source=/dev/null
	for name in $(packages_of "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" "$@"); do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			echo "$name"
	done | sort -u
}

packages_need() { # GROUP...
	local missing
	missing=$(packages_missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "these packages are missing; install them, or run this as root: $missing" >&2
		return 1
	fi
	echo "installing: $missing" >&2
	# The lists may be missing or older than the archive, another apt may be at work (for its lists
	# there is no waiting), the network may be away for a moment: try, refresh, try again.
	local try
	for try in 1 2 3 4 5 6; do
		packages_install $missing && return 0
		[ "$try" = 1 ] || sleep $((5 * try))
		packages_apt update >&2
	done
	packages_install $missing
}

# Tests start servers of their own: the package makes none, where it comes only now.
packages_no_cluster() { # PACKAGE...
	case " $* " in
	*" postgresql "*) ;;
	*) return 0 ;;
	esac
	[ ! -e /etc/postgresql-common ] || return 0
	mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/cocos-tests.conf
}

# Packages that would start a server at all addresses, and its units: an identity provider with a password that everybody
# knows, logins, and a store of metrics. Tests start their own. Who wants one of these unmasks it.
# dbconfig-sqlite3 beside glewlwyd: with another of its kind the package's installation asks, or fails.
packages_servers="glewlwyd:glewlwyd.service openssh-server:ssh.service openssh-server:ssh.socket
	prometheus:prometheus.service"

packages_no_servers() { # PACKAGE...
	local server unit
	for server in $packages_servers; do
		unit=/etc/systemd/system/${server#*:}
		case " $* " in
		*" ${server%%:*} "*) ;;
		*) continue ;;
		esac
		[ ! -e "$unit" ] || continue
		mkdir -p /etc/systemd/system
		ln -sf /dev/null "$unit"
	done
}

packages_install() {
	packages_no_cluster "$@"
	packages_no_servers "$@"
	packages_apt install -y --no-install-recommends "$@" >&2
}

packages_apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
		-o Dpkg::Options::=--force-confold "$@"
}
