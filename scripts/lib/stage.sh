# SPDX-License-Identifier: Apache-2.0
# stage.sh — where scripts play computations from end to end: the service, and the agent in a virtual
# machine made from our own image or on this host. Source it behind packages.sh, libvirt.sh, usage.sh.
#
#   program     the script's name, for its messages; `root`, the project's folder; `step`, what is done
#   build       the folder of the build
#   vm, tee     plain or none; empty, snp, tdx or vtpm
#   kernel      of the virtual machine's image: own or stock, as build-image has them; empty: stock
#   memory      of the virtual machine, in MiB; empty: the manager's own
#   cpus        of the virtual machine
#   keep, ok    yes: leave everything running; yes: all went well
#   web         yes: the service has a page, for stage_link and stage_web; empty: none
#
# stage_tee checks vm, tee and kernel, and refuses by name; stage_begin, stage_programs, stage_folder, stage_service, stage_agent and,
# with the computation's `id`, stage_run, in this order, set:
#   dir                the folder of all that is started; removed at the end
#   cvm, agent_port    the agent's CVM and its port
#   proof              options of every call of an owner: what the answer is judged by

vm=plain tee= kernel= keep=no web= dir= step="the start" ok=no simulated= memory= cpus=1
proof=()
exec 3>&1 # commands are shown here even when what they print goes elsewhere

# --- showing what is done

note() { printf '\n\033[1m# %s\033[0m\n' "$*" | plain; }
plain() { if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }

# A command as a person types it, in the folder of the party whose turn it is.
typed() {
	local shown=
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=+-]*) shown+=" '$word'" ;;
		*) shown+=" $word" ;;
		esac
	done
	printf '%s$%s\n' "${party-}" "$shown" >&3
	"$@"
}

# "value" of "key" in one flat JSON object: enough for what cocos-cli prints with --json.
json_text() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# The seconds only end what hangs: emulation beside other work is slow.
wait_for() { # SECONDS WHAT COMMAND...
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "$program: $what does not happen" >&2
			return 1
		fi
		still_running
		sleep 0.2
	done
}

# --- processes: started here, stopped here, by their ids

start() { # NAME COMMAND...: in a session of its own, so that Ctrl-C ends us and we end it
	local name=$1
	shift
	setsid sh -c 'echo $$ >"$0" && exec "$@"' "$dir/$name.pid" "$@" \
		</dev/null >"$dir/$name.log" 2>&1 3>&- &
	libvirt_wait 60 test -s "$dir/$name.pid"
}

still_running() {
	local name
	for name in computations manager agent; do
		[ -f "$dir/$name.pid" ] || continue
		libvirt_alive "$(cat "$dir/$name.pid")" && continue
		echo "$program: $name has ended" >&2
		return 1
	done
}

stop() { # NAME
	local pid
	[ -f "$dir/$1.pid" ] || return 0
	pid=$(cat "$dir/$1.pid")
	rm -f "$dir/$1.pid"
	libvirt_alive "$pid" || return 0
	kill "$pid" 2>/dev/null || return 0
	libvirt_wait 30 eval "! libvirt_alive $pid" || kill -9 "$pid"
}

stop_everything() {
	local cvm url
	set +eE
	if [ -f "$dir/cvm" ]; then
		read -r cvm url <"$dir/cvm"
		# A manager that has ended leaves it to libvirt, where it would run on.
		MANAGER_GRPC_URL=$url "$build/cocos-cli" remove-vm "$cvm" >/dev/null ||
			virsh -c "$LIBVIRT_URI" destroy "$cvm" >/dev/null 2>&1
	fi
	for name in agent manager computations; do
		stop "$name"
	done
	[ ! -d "$dir/libvirt" ] || libvirt_down "$dir/libvirt"
	[ ! -f "$dir/secrets" ] || rm -rf "$(cat "$dir/secrets")"
	rm -rf "$dir"
}

show_logs() {
	local log
	for log in "$dir"/*.log; do
		[ -s "$log" ] || continue
		echo "--- the last lines of ${log##*/}" >&2
		tail -n 15 "$log" >&2
	done
	for log in "$dir"/state/cvms/*/console.log; do
		[ -s "$log" ] || continue
		echo "--- the virtual machine's console" >&2
		tail -n 20 "$log" >&2
	done
}

finish() {
	local status=$?
	trap - EXIT ERR INT TERM
	if [ "$ok" != yes ] && [ -n "$dir" ]; then
		echo "$program: failed at: $step" >&2
		show_logs
	fi
	if [ -n "$dir" ] && { [ "$keep" = no ] || [ "$ok" != yes ]; }; then
		stop_everything
	fi
	[ "$ok" = yes ] || exit $((status ? status : 1))
	[ "$keep" = yes ] || echo "$verdict"
}
# --- what must be there

stage_tee() {
	case $vm in plain | none) ;; *) usage_refuse "--vm wants plain or none, not '$vm'" ;; esac
	case $tee in
	'' | vtpm) ;;
	snp | tdx) simulated=$tee ;;
	*) usage_refuse "--tee wants snp, tdx or vtpm, not '$tee'" ;;
	esac
	# swtpm is a simulator as well: no hardware stands behind any of the three.
	[ -z "$tee" ] || [ "$vm" = plain ] || usage_refuse "--tee $tee is of a virtual machine, and --vm none has none"
	case $kernel in
	'') kernel=stock ;;
	own | stock) [ "$vm" = plain ] || usage_refuse "--kernel $kernel is a virtual machine's, and --vm none has none" ;;
	*) usage_refuse "--kernel wants own or stock, not '$kernel'" ;;
	esac
	verdict="$program: ok${tee:+ (SIMULATED $tee)}"
}

stage_root() {
	[ "$(id -u)" = 0 ] && return
	echo "$program: run it as root: it installs packages, starts libvirt and makes namespaces" >&2
	exit 1
}

stage_begin() {
	trap finish EXIT
	trap 'exit 130' INT TERM
	step="installing packages"
	stage_root
}

# One run at a time: others may use the same folder, also from another system.
stage_programs() { # FLAVOUR, used in a virtual machine
	step="building"
	mkdir -p "$build"
	{
		flock --nonblock 9 || {
			echo "$program: another run builds in $build: waiting for it" >&2
			flock 9
		}
		stage_build "$1"
	} 9>"$build/turn"
}

stage_build() { # FLAVOUR
	note "Building (the first time takes minutes)"
	# What meson has to say goes to a log, which is shown if it fails. The tests want more packages.
	local options="-Dtests=false${simulated:+ -Dteesim=true}"
	[ -z "$simulated" ] || [ ! -f "$build/build.ninja" ] || meson configure -Dteesim=true "$build"
	[ -f "$build/build.ninja" ] || meson setup $options "$build" "$root" >"$build-setup.log" 2>&1 || {
		tail -n 20 "$build-setup.log" >&2
		exit 1
	}
	rm -f "$build-setup.log"
	local programs="cocos-cli cocos-agent cocos-computations"
	[ "$vm" = none ] || programs+=" cocos-manager"
	ninja -C "$build" $programs \
		${simulated:+tests/teesim/cocos-teesim tests/teesim/cocos-teesim-emulator} |
		sed -n '/FAILED\|error/p;$p'
	PATH=$build:$PATH
	[ "$vm" = plain ] || return 0
	flavour=$1${simulated:+-simulated}
	step="building the guest image"
	note "Making the guest image (the first time takes minutes)"
	if [ "$kernel" = own ]; then
		note "Its kernel is our own, which runs no ACPI code of the host's; to compile it, once, takes many minutes"
	else
		note "Its kernel is Debian's, which runs ACPI code of the host's; for production there is our own: --kernel own (docs/security.md)"
	fi
	image=$build/image/$flavour-$kernel
	"$root/scripts/build-image" "$flavour" --kernel "$kernel" --out "$image"
}

stage_folder() {
	step="preparing a scratch folder"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/cocos-$program.XXXXXX")
	chmod 711 "$dir" # QEMU's user must reach the image in it
	: >"$dir/$program"
}

stage_stop() { # DIR: of a run that was kept
	[ -f "$1/$program" ] || usage_refuse "'$1' is no folder of a $program"
	dir=$(cd "$1" && pwd)
	stop_everything
	echo "$program: stopped"
	exit 0
}

# --- the computation service, and where the agent runs

port_of() { sed -n "s/.*$2.* port \([0-9]*\).*/\1/p" "$dir/$1.log" | head -n 1; }
has_port() { [ -n "$(port_of "$1" "$2")" ]; }

stage_service() {
	step="starting the computation service"
	cat >"$dir/computations.conf" <<CONF
COMPUTATIONS_GRPC_PORT=0
COMPUTATIONS_ADMIN_SOCKET=$dir/computations.sock
COMPUTATIONS_STATE_DIR=$dir/computations
${web:+COMPUTATIONS_WEB=127.0.0.1:0}
${web:+COMPUTATIONS_AUDIT_LOG=$dir/audit.log}
CONF
	note "The computation service, for the operator (outside everybody's trust)"
	start computations cocos-computations --config "$dir/computations.conf"
	wait_for 120 "the start of cocos-computations" has_port computations "agents: listening"
	service_port=$(port_of computations "agents: listening")
	export COMPUTATIONS_GRPC_URL=unix:$dir/computations.sock
	echo "cocos-computations listens on port $service_port"
}

# A link to the service's page. It works once, within ten minutes, and in a browser of this machine.
stage_link() {
	step="asking for a link"
	curl -sSf -X POST --unix-socket "$dir/computations.web.sock" http://localhost/link
}

# Until Ctrl-C, which is how this ends well; Enter gives another link. What has been started may not end before.
stage_web() {
	note "The page shows it. This link works once; Enter prints another, Ctrl-C ends everything"
	# From the link on: who has read it may press it at once.
	trap 'ok=yes; exit 0' INT TERM
	stage_link
	step="showing the page"
	while still_running; do
		local pressed=1
		[ ! -t 0 ] || { read -r -t 1 && pressed=0; } || pressed=$?
		case $pressed in
		0) stage_link ;;
		1) # nobody can press anything; a signal ends the waiting, not the sleep
			sleep 1 &
			wait $! ;;
		esac
	done
	return 1
}

# What has no hardware behind it: vendors with keys of their own, what their services would serve,
# and an emulator that measures launches. QEMU's user reads the keys.
simulate() {
	step="simulating the hardware"
	note "SIMULATED hardware: its vendor's root is nobody's, and is trusted only where it is named"
	mkdir "$dir/hardware"
	local facts='{"tee":"snp","product":"Genoa","measurement":"'$(printf '00%.0s' {1..48})'"}'
	[ "$tee" = snp ] || facts='{"tee":"tdx","mrtd":"'$(printf '00%.0s' {1..48})'"}'
	echo "$facts" >"$dir/hardware/facts.json"
	typed "$build/tests/teesim/cocos-teesim" endorse --launch "$dir/hardware/facts.json" \
		--keys "$dir/hardware/keys" "$dir/endorsements"
	cp "$build/tests/teesim/cocos-teesim-emulator" "$dir/hardware/emulator"
	if [ "$tee" = snp ]; then
		firmware=$dir/hardware/firmware
		"$build/tests/teesim/cocos-teesim" firmware "$firmware"
		facts='{"product":"Genoa"}' vendor_root=$dir/endorsements/ark.pem
	else
		firmware=/usr/share/ovmf/OVMF.fd facts='{}' vendor_root=$dir/endorsements/root_ca.pem
	fi
	echo '{"qemu":"/usr/bin/qemu-system-x86_64","keys":"'"$dir/hardware/keys"'","facts":'"$facts}" \
		>"$dir/hardware/emulator.json"
	chown -R libvirt-qemu "$dir/hardware/keys"
	chmod 755 "$dir/hardware"
}

machine_settings() {
	[ -z "$memory" ] || echo "MANAGER_MEMORY=${memory}M"
	echo "MANAGER_CPUS=$cpus"
	if [ -z "$simulated" ]; then
		echo MANAGER_TEE=none
		return
	fi
	cat <<CONF
MANAGER_TEE=simulated-$tee
MANAGER_EMULATOR=$dir/hardware/emulator
MANAGER_FIRMWARE=$firmware
CONF
	[ "$tee" != snp ] || echo "MANAGER_CPU_TYPE=$cpu_type"
}
cpu_type=EPYC-Milan

start_vm() {
	[ -z "$simulated" ] || simulate
	step="starting libvirt"
	note "libvirt"
	mkdir -p "$dir/libvirt"
	libvirt_up "$dir/libvirt" 3>&-
	step="starting the manager"
	cp -r --reflink=auto "$image" "$dir/image"
	secrets=$(mktemp -d /dev/shm/cocos-$program.XXXXXX)
	chmod 711 "$secrets"
	echo "$secrets" >"$dir/secrets"
	cat >"$dir/manager.conf" <<CONF
MANAGER_SOCKET=$dir/manager.sock
MANAGER_IMAGE_DIR=$dir/image
MANAGER_STATE_DIR=$dir/state
MANAGER_SECRETS_DIR=$secrets
$(machine_settings)
MANAGER_PORTS=20000-29999
CONF
	note "The manager, for the operator of the machines"
	start manager cocos-manager --config "$dir/manager.conf"
	wait_for 240 "the start of cocos-manager" grep -q "listening on unix:" "$dir/manager.log"
	export MANAGER_GRPC_URL=unix:$dir/manager.sock
	step="creating the virtual machine"
	note "A virtual machine; the host is 10.0.2.2 from inside"
	party=
	typed cocos-cli create-vm --server-url "10.0.2.2:$service_port" --json | tee "$dir/created"
	cvm=$(json_text cvm_id <"$dir/created")
	echo "$cvm $MANAGER_GRPC_URL" >"$dir/cvm"
	export AGENT_GRPC_URL=127.0.0.1:$(json_text forwarded_port <"$dir/created")
	agent_port=7002
}

# Below the range from which outgoing connections take theirs: the agent comes to it minutes later.
free_port() {
	python3 - <<'PORT'
import random
import socket
while True:
    port = random.randrange(20000, 32000)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            print(port)
            break
PORT
}

start_agent() {
	step="starting the agent on this host"
	note "The agent, on this host and not in a virtual machine: nothing protects it here"
	cvm=$program-host
	mkdir -p "$dir/agent/config" "$dir/agent/certs" "$dir/agent/work"
	cat >"$dir/agent/config/environment" <<CONF
AGENT_CVM_ID=$cvm
AGENT_CVM_GRPC_URL=127.0.0.1:$service_port
AGENT_GRPC_HOST=127.0.0.1
CONF
	start agent cocos-agent --development --config "$dir/agent/config" \
		--certs "$dir/agent/certs" --work "$dir/agent/work"
	agent_port=$(free_port)
	export AGENT_GRPC_URL=127.0.0.1:$agent_port
}

stage_agent() {
	if [ "$vm" = plain ]; then start_vm; else start_agent; fi
	step="waiting for the agent"
	wait_for 600 "the agent's connection" is_connected
	typed cocos-cli cvm list
}

is_connected() { cocos-cli cvm show "$cvm" --json 2>/dev/null | grep -q '"connected":true'; }

# --- a computation, by its id

state_is() {
	local now
	now=$(cocos-cli computation show "$id" --json | json_text state)
	[ "$now" != Failed ] || {
		cocos-cli computation show "$id" >&2
		cocos-cli computation logs "$id" >&2
		# Why, the manifest may show to its consumers alone.
		cocos-cli status "$dir/consumer/private.pem" "${proof[@]}" >&2 || true
		exit 1
	}
	case " $1 " in *" ${now// /_} "*) return 0 ;; *) return 1 ;; esac
}

# Nobody talks to the agent before it has proven what it is: each owner makes a policy from the image
# and the manifest, and every call from here on is judged by it.
demand_proof() {
	step="computing the policy"
	note "Each owner computes from image and manifest what the machine has to prove"
	cd "$dir" && party=
	cocos-cli computation manifest "$id" >manifest.json
	case $tee in
	snp) typed cocos-cli policy create --image image --tee snp --cpu-type "$cpu_type" --cpus "$cpus" \
		--firmware "$firmware" --manifest manifest.json -o policy.json ;;
	tdx) typed cocos-cli policy create --image image --tee tdx --firmware "$firmware" \
		--rtmr0 "$(printf '00%.0s' {1..48})" --manifest manifest.json -o policy.json ;;
	vtpm) typed cocos-cli policy create --image image --tee vtpm --manifest manifest.json \
		-o policy.json ;;
	esac # the simulated TDX machine measures no settings: its RTMR0 is zeros
	export AGENT_GRPC_ATTESTED_TLS=true AGENT_GRPC_ATTESTATION_POLICY=$dir/policy.json
	proof=(--manifest "$dir/manifest.json")
	[ -z "$simulated" ] || proof+=(--trusted_root "$vendor_root")
	[ "$tee" != tdx ] || proof+=(--collateral "$dir/endorsements")
	# swtpm's certificate authority on this host: its TPMs' EKs are of its making.
	[ "$tee" != vtpm ] || proof+=(--ek_root /var/lib/swtpm-localca/issuercert.pem)
}

# The agent in the CVM gets the manifest; from here on each call is judged by what it has to prove.
stage_run() {
	step="running the computation"
	note "The agent in the CVM gets the manifest"
	typed cocos-cli computation run "$id" --cvm "$cvm"
	wait_for 240 "the agent's word" state_is "Waiting_for_Algorithm"
	[ -z "$tee" ] || demand_proof
	wait_for 240 "the agent's listener" manifest_is_known
	cocos-cli computation manifest "$id" >"$dir/manifest.json"
}
manifest_is_known() { cocos-cli status "${proof[@]}" --json 2>/dev/null | grep -q '"state":"ReceivingAlgorithm"'; }
