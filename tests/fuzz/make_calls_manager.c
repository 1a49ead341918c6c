/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_manager.c — corpora of the manager. */
#include "manager/registry/registry.h"
#include "manager/virt/virt.h"
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_manager.h"

#include <stdio.h>
#include <string.h>

enum { CVM, GONE, META, HOST, LEASE, MANAGER };
enum { VALUE_NULL, VALUE_BYTE, VALUE_INT, VALUE_TEXT, VALUE_BLOB, VALUE_ID, VALUE_DIGEST };

static void value(struct writer *w, char type, uint8_t number, const char *text)
{
	switch (type) {
	case 'n':
		writer_u8(w, VALUE_NULL);
		break;
	case 'i':
		writer_u8(w, VALUE_BYTE);
		writer_u8(w, number);
		break;
	case 'I':
		writer_u8(w, VALUE_INT);
		writer_be64(w, UINT64_C(1) << 62);
		break;
	case 'm': /* what is counted in milliseconds */
		writer_u8(w, VALUE_INT);
		writer_be64(w, (uint64_t)number * 1000);
		break;
	case 't':
	case 'b':
		writer_u8(w, type == 't' ? VALUE_TEXT : VALUE_BLOB);
		writer_u8(w, (uint8_t)strlen(text));
		writer_text(w, text);
		break;
	case 'd':
		writer_u8(w, VALUE_ID);
		writer_u8(w, number);
		break;
	case 'e':
		value(w, 't', 0, "epoch");
		break;
	case 'N':
	case 'P':
		value(w, 't', 0, type == 'N' ? "this" : "here");
		break;
	case 'w': /* for fuzz_registry_rows.c: soon */
		value(w, 'i', 77, "");
		break;
	case 'l':
		writer_u8(w, VALUE_TEXT);
		writer_u8(w, 100);
		for (int i = 0; i < 100; i++)
			writer_u8(w, 'm');
		break;
	case 'T':
	case 'L':
		value(w, 't', 0, type == 'T' ? "a-name" : "a=1,b=");
		break;
	case '2':
	case '3':
		writer_u8(w, VALUE_DIGEST);
		writer_u8(w, type == '2' ? 32 : 48);
	}
}

static void row(struct writer *w, uint8_t table, const char *types, uint8_t number,
		const char *text)
{
	writer_u8(w, table);
	for (; *types; types++)
		value(w, *types, number, text);
}

static void save(const char *name, uint8_t version, const char *types, uint8_t number,
		 const char *text)
{
	struct writer w = calls_begin(version);

	row(&w, GONE, "idTLiiiiiT", 1, "a=b");
	row(&w, GONE, "itttiiiiit", 2, "no id");
	row(&w, GONE, "idttIIIIIt", 3, "A");
	row(&w, CVM, types, number, text);
	calls_save_to("registry_rows", name, &w);
}

/* id slot port step created expires tee kvm cpus, cpu firmware image cmdline, digests, expected,
 * name labels memory owner host */
void calls_registry_rows(void)
{
	static const char good[] = "diiiiiiiitttt23tTLiTT";
	struct writer w;
	char types[sizeof(good)], name[32];

	save("good", REGISTRY_VERSION, good, 1, "text");
	save("newer", REGISTRY_VERSION + 1, good, 1, "text");
	save("before", 1, good, 1, "text");
	save("older", 255, good, 1, "text");
	save("out-of-range", REGISTRY_VERSION, good, 7, "text");
	save("control", REGISTRY_VERSION, good, 1, "a\x1b[2J");
	save("bytes", REGISTRY_VERSION, good, 1, "\xff\xfe");
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		memcpy(types, good, sizeof(good));
		types[i] = good[i] == 'i' ? 'I' : good[i] == 't' ? 'b' : 't';
		snprintf(name, sizeof(name), "column-%zu", i);
		save(name, REGISTRY_VERSION, types, 1, "text");
	}
	w = calls_begin(REGISTRY_VERSION);
	row(&w, CVM, good, 1, "text");
	row(&w, CVM, good, 1, "again");
	calls_save("registry_rows/one-slot", &w);
	w = calls_begin(REGISTRY_VERSION);
	row(&w, META, "tt", 1, "tag");
	calls_save("registry_rows/tag", &w);
	w = calls_begin(REGISTRY_VERSION);
	row(&w, META, "et", 1, "x");
	calls_save("registry_rows/epoch-no-number", &w);
	w = calls_begin(REGISTRY_VERSION);
	row(&w, META, "et", 1, "0");
	calls_save("registry_rows/epoch-out-of-range", &w);
	w = calls_begin(REGISTRY_VERSION);
	for (uint8_t i = 0; i < 6; i++)
		row(&w, CVM, good, (uint8_t)(1 + i % 3), "text");
	calls_save("registry_rows/three", &w);
	/* Hosts: nr, name, uri, words, draining. */
	static const struct {
		const char *name, *types;
		uint8_t number;
		const char *text;
	} hosts[] = {
		{ "host", "iTtti", 1, "qemu:///system" },
		{ "host-no-name", "ittti", 1, "A" },
		{ "host-no-text", "ibtti", 1, "a" },
		{ "host-control", "iTtti", 1, "a\nhost b" },
		{ "host-drains", "iTtti", 2, "a" },
		{ "host-no-number", "iTttt", 1, "a" },
	};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		snprintf(name, sizeof(name), "%s", hosts[i].name);
		w = calls_begin(REGISTRY_VERSION);
		row(&w, HOST, hosts[i].types, hosts[i].number, hosts[i].text);
		calls_save_to("registry_rows", name, &w);
	}
}

/* Leases: host, holder, instance, fence, until, uri, lease, vms_max; before them CVMs on that host and on another. */
void calls_registry_leases(void)
{
	static const struct {
		const char *name, *types, *text;
		uint8_t number;
		bool twice;
	} leases[] = {
		{ "lease", "TTiimtmi", "qemu:///system", 10, false },
		{ "lease-far", "TTiiItmi", "qemu:///system", 10, false },
		{ "lease-other-uri", "TTiimtmi", "qemu:///other", 10, false },
		{ "lease-two", "TTiimtmi", "qemu:///system", 10, true },
		{ "lease-no-host", "tTiimtmi", "A", 10, false },
		{ "lease-no-holder", "Ttiimtmi", "A", 10, false },
		{ "lease-no-text", "Tbiimtmi", "a", 10, false },
		{ "lease-control", "TTiimtmi", "a\nb", 10, false },
		{ "lease-no-fence", "TTitmtmi", "a", 10, false },
		{ "lease-short", "TTiimtii", "a", 10, false },
		{ "lease-long-name", "tTiimtmi",
		  "a123456789012345678901234567890123456789012345678901234567890123456789", 10,
		  false },
	};
	static const char on_it[] = "diiiiiiiitttt23tTLiTT", elsewhere[] = "diiiiiiiitttt23ttLitt";
	struct writer w;
	char name[32];

	for (size_t i = 0; i < ARRAY_LEN(leases); i++) {
		snprintf(name, sizeof(name), "%s", leases[i].name);
		w = calls_begin(REGISTRY_VERSION);
		row(&w, CVM, on_it, 1, "text");
		row(&w, CVM, elsewhere, 2, "");
		for (int times = 0; times <= leases[i].twice; times++)
			row(&w, LEASE, leases[i].types, leases[i].number, leases[i].text);
		calls_save_to("registry_rows", name, &w);
	}
	/* CVMs of others that are none. */
	for (size_t column = 0; column < sizeof(elsewhere) - 1; column++) {
		char types[sizeof(elsewhere)];

		memcpy(types, elsewhere, sizeof(types));
		types[column] = types[column] == 'i' ? 'I' : types[column] == 't' ? 'b' : 't';
		snprintf(name, sizeof(name), "other-%zu", column);
		w = calls_begin(REGISTRY_VERSION);
		row(&w, CVM, types, 2, "A");
		calls_save_to("registry_rows", name, &w);
	}
}

/* The manager that opens it, as somebody said before: name, instance, machine, place, pid, started, until. */
void calls_registry_managers(void)
{
	static const struct {
		const char *name, *types, *text;
	} managers[] = {
		{ "manager-ended", "Nittimm", "m" },      { "manager-here", "NitPimm", "m" },
		{ "manager-far", "NittimI", "m" },        { "manager-now", "Nittimw", "m" },
		{ "manager-here-now", "NitPimw", "m" },   { "manager-no-machine", "Nibtimm", "m" },
		{ "manager-control", "Nittimm", "a\nb" }, { "manager-no-number", "Nitttmm", "m" },
		{ "manager-long", "NiltImm", "m" },       { "manager-no-instance", "Nnttimm", "m" },
		{ "manager-no-place", "Nitbimm", "m" },   { "manager-no-pid", "NittImm", "m" },
		{ "manager-no-start", "Nittitm", "m" },   { "manager-no-end", "Nittimt", "m" },
	};
	struct writer w;

	for (size_t i = 0; i < ARRAY_LEN(managers); i++) {
		w = calls_begin(REGISTRY_VERSION);
		row(&w, MANAGER, managers[i].types, 10, managers[i].text);
		calls_save_to("registry_rows", managers[i].name, &w);
	}
}

/* ---- manager_calls ---- */

static void pair(struct writer *w, int what, int operand)
{
	writer_u8(w, (uint8_t)what);
	writer_u8(w, (uint8_t)operand);
}

static void ask(struct writer *w, int what, int id)
{
	pair(w, ORDER_ASK | what << 1, id);
}

static void happen(struct writer *w, int what, int operand)
{
	pair(w, ORDER_HAPPEN | what << 1, operand);
}

static void save_vms(void)
{
	struct writer w;
	char name[32];

	for (uint8_t flags = 0; flags < 2; flags++) {
		w = calls_begin(flags);
		for (int ttl = 0; ttl < 6; ttl++)
			pair(&w, ORDER_CREATE, ttl);
		ask(&w, ASK_INFO, ID_FIRST);
		ask(&w, ASK_POLICY, ID_FIRST);
		for (int id = 0; id < 6; id++) {
			ask(&w, ASK_INFO, id);
			ask(&w, ASK_REMOVE, id);
			ask(&w, ASK_REMOVE, id);
		}
		pair(&w, ORDER_CREATE, 0x40);
		pair(&w, ORDER_CREATE, 0x80);
		snprintf(name, sizeof(name), "life-%u", flags);
		calls_save_to("manager_calls", name, &w);

		w = calls_begin(flags);
		happen(&w, HAPPEN_CREATION, 1);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_CREATION, 1 | 2 << 2);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_REMOVAL, 3);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_CREATION, 0);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_REMOVAL, 7);
		ask(&w, ASK_REMOVE, ID_FIRST);
		ask(&w, ASK_REMOVE, ID_FIRST);
		ask(&w, ASK_REMOVE, ID_SECOND);
		snprintf(name, sizeof(name), "fails-%u", flags);
		calls_save_to("manager_calls", name, &w);

		w = calls_begin(flags);
		pair(&w, ORDER_CREATE, 1);
		pair(&w, ORDER_CANCEL, 0);
		pair(&w, ORDER_CREATE | 1, 1);
		pair(&w, ORDER_HANG_UP | 1, 0);
		pair(&w, ORDER_CREATE, 0);
		pair(&w, ORDER_HANG_UP, 0);
		ask(&w, ASK_LIST, 0);
		snprintf(name, sizeof(name), "unwanted-%u", flags);
		calls_save_to("manager_calls", name, &w);
	}
}

/* Lists and watches with every filter, before and after something happened. */
static void save_seen(void)
{
	struct writer w;
	char name[32];

	for (int from = 0; from < 4; from++) {
		w = calls_begin(from & 1 ? FLAG_RUNS | FLAG_STOPS : FLAG_RUNS);
		for (int names = 0; names < 4; names++)
			pair(&w, ORDER_CREATE, CREATE_NAMED | names << 3);
		ask(&w, ASK_WATCH_VMS, from << 5);
		ask(&w, ASK_LIST_VMS, VM_FEW);
		for (int f = 0; f < 4; f++)
			for (int words = 0; words < 4; words++)
				ask(&w, f == 2 ? ASK_WATCH_VMS : ASK_LIST_VMS,
				    from << 5 | words << 2 | f | (words & 1 ? VM_FEW : 0));
		snprintf(name, sizeof(name), "seen-%d", from);
		calls_save_to("manager_calls", name, &w);

		w = calls_begin(FLAG_RUNS | FLAG_HALF);
		ask(&w, ASK_WATCH_VMS, 0);
		ask(&w, ASK_WATCH_VMS, 1 << 5);
		pair(&w, ORDER_CREATE, CREATE_NAMED | from << 3 | 1);
		happen(&w, HAPPEN_NOTICE, VIRT_LOST);
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
		ask(&w, ASK_GET_VM, CREATE_NAMED | from << 3);
		ask(&w, ASK_REMOVE, ID_FIRST);
		ask(&w, ASK_GET_VM, ID_FIRST);
		ask(&w, ASK_GET_VM, ID_NONE);
		ask(&w, ASK_LIST_VMS, 1 | from << 2);
		pair(&w, ORDER_CREATE, CREATE_NAMED);
		pair(&w, ORDER_CREATE, CREATE_NAMED);
		pair(&w, ORDER_CANCEL, 0);
		ask(&w, ASK_REMOVE, ID_SECOND);
		pair(&w, ORDER_HANG_UP, 0);
		ask(&w, ASK_LIST_VMS, VM_FEW);
		ask(&w, ASK_LIST_VMS, 1 << 5 | VM_FEW);
		ask(&w, ASK_LIST_VMS, 1 << 5);
		snprintf(name, sizeof(name), "change-%d", from);
		calls_save_to("manager_calls", name, &w);
	}
}

/* Consoles that are read in every way, while they are written, renamed, emptied and no files. */
static void save_consoles(void)
{
	static const int happens[] = { 0, CONSOLE_RENAMED | CONSOLE_MUCH, CONSOLE_EMPTIED,
				       CONSOLE_PIPE, CONSOLE_RENAMED | CONSOLE_EMPTIED };
	struct writer w;
	char name[32];

	for (int from = 0; from < 8; from++) {
		w = calls_begin(0);
		pair(&w, ORDER_CREATE, CREATE_NAMED);
		happen(&w, HAPPEN_CREATION,
		       1); /* one that fails is a change, of which readers are told */
		ask(&w, ASK_CONSOLE, ID_FIRST);
		ask(&w, ASK_CONSOLE, ID_FIRST | CONSOLE_FOLLOW);
		for (size_t i = 0; i < sizeof(happens) / sizeof(happens[0]); i++) {
			happen(&w, HAPPEN_CONSOLE, happens[i]);
			ask(&w, ASK_CONSOLE, ID_FIRST | from << 4);
			ask(&w, ASK_CONSOLE, ID_FIRST | from << 4 | (i == 1 ? CONSOLE_FOLLOW : 0));
			pair(&w, ORDER_CREATE | 1, 0);
		}
		ask(&w, ASK_CONSOLE, ID_NONE);
		ask(&w, ASK_CONSOLE, ID_STRAY);
		pair(&w, ORDER_CANCEL, 1);
		happen(&w, HAPPEN_CONSOLE, CONSOLE_EMPTIED);
		ask(&w, ASK_CONSOLE, ID_FIRST | CONSOLE_FOLLOW);
		ask(&w, ASK_REMOVE, ID_FIRST);
		ask(&w, ASK_CONSOLE, ID_FIRST);
		ask(&w, ASK_CONSOLE, ID_SECOND | CONSOLE_FOLLOW);
		pair(&w, ORDER_HANG_UP, 0);
		ask(&w, ASK_LIST_VMS, 0);
		snprintf(name, sizeof(name), "console-%d", from);
		calls_save_to("manager_calls", name, &w);

		w = calls_begin(FLAG_STOPS);
		pair(&w, ORDER_CREATE, CREATE_NAMED);
		happen(&w, HAPPEN_CONSOLE, from & 1 ? CONSOLE_MUCH : 0);
		ask(&w, ASK_CONSOLE, ID_FIRST | from << 4 | CONSOLE_FOLLOW);
		ask(&w, ASK_WATCH_VMS, 0);
		snprintf(name, sizeof(name), "console-end-%d", from);
		calls_save_to("manager_calls", name, &w);
	}
}

static void save_images(void)
{
	struct writer w = calls_begin(FLAG_RUNS);

	for (int how = 0; how < 16; how++)
		ask(&w, ASK_IMAGE, how);
	calls_save_to("manager_calls", "images", &w);
	w = calls_begin(FLAG_RUNS);
	for (int how = 0; how < HOST_REQUESTS; how++)
		ask(&w, ASK_HOST, how);
	calls_save_to("manager_calls", "hosts", &w);
}

/* Hosts that come, fill, drain, are lost and go, each in the two ways in which settings may begin. */
static void save_hosts(void)
{
	enum { B = HOST_NAME, C = 2 * HOST_NAME, HERE = 3 * HOST_NAME };
	struct writer w;
	char name[32];

	for (int flags = 0; flags < 4; flags++) {
		w = calls_begin((uint8_t)(FLAG_TABLE | flags));
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
		ask(&w, ASK_HOST, HOST_ADD | 0);
		ask(&w, ASK_HOST, HOST_ADD + B);
		ask(&w, ASK_HOST, HOST_ADD + B);
		ask(&w, ASK_HOST, HOST_ADD + C + 3 * HOST_WORDS);
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED | NOTICE_SECOND);
		pair(&w, ORDER_CREATE, 0);
		pair(&w, ORDER_CREATE, CREATE_NAMED);
		ask(&w, ASK_REMOVE, ID_SECOND);
		ask(&w, ASK_HOST, HOST_LIST);
		ask(&w, ASK_HOST, HOST_REMOVE + B);
		ask(&w, ASK_HOST, HOST_REMOVE + HERE);
		happen(&w, HAPPEN_NOTICE, VIRT_LOST | NOTICE_SECOND);
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED | NOTICE_SECOND);
		for (int id = ID_FIRST; id < ID_STRAY; id++)
			ask(&w, ASK_REMOVE, id);
		ask(&w, ASK_HOST, HOST_REMOVE + B);
		ask(&w, ASK_HOST, HOST_REMOVE + B);
		happen(&w, HAPPEN_NOTICE, VIRT_STOPPED | NOTICE_SECOND);
		ask(&w, ASK_HOST, HOST_LIST);
		snprintf(name, sizeof(name), "table-full-%d", flags);
		calls_save_to("manager_calls", name, &w);

		w = calls_begin((uint8_t)(FLAG_TABLE | flags));
		happen(&w, HAPPEN_HOST, 2);
		ask(&w, ASK_HOST, HOST_ADD + C + HOST_WORDS);
		ask(&w, ASK_HOST, HOST_ADD + B + 2 * HOST_WORDS);
		ask(&w, ASK_HOST, HOST_UNDRAIN + C);
		ask(&w, ASK_HOST, HOST_DRAIN + C);
		ask(&w, ASK_HOST, HOST_DRAIN + HERE);
		pair(&w, ORDER_CREATE, 0);
		ask(&w, ASK_HOST, HOST_UNDRAIN + HERE);
		ask(&w, ASK_HOST, HOST_DRAIN + 0);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_STRAY, 0x11);
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED | NOTICE_SECOND);
		happen(&w, HAPPEN_NOTICE, VIRT_STARTED | ID_STRAY << 2 | NOTICE_SECOND);
		ask(&w, ASK_HOST, HOST_LIST);
		ask(&w, ASK_ADOPT, ID_STRAY);
		ask(&w, ASK_HOST, HOST_REMOVE + C);
		ask(&w, ASK_HOST, HOST_LIST);
		ask(&w, ASK_LIST, 0);
		snprintf(name, sizeof(name), "table-drains-%d", flags);
		calls_save_to("manager_calls", name, &w);
	}

	/* The machine of one that was removed is seen once more, in a notice and in a look. */
	w = calls_begin(0);
	happen(&w, HAPPEN_STRAY, 0x11);
	ask(&w, ASK_REMOVE, ID_STRAY);
	happen(&w, HAPPEN_NOTICE, VIRT_STARTED | ID_STRAY << 2);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	ask(&w, ASK_REMOVE, ID_STRAY);
	ask(&w, ASK_LIST, 0);
	calls_save_to("manager_calls", "orphan", &w);
}

static void save_strays(void)
{
	struct writer w;
	char name[32];

	for (int how = 0; how < 6; how++) {
		static const int hows[] = { 0, 1, 0x10, 0x11, 0x13, 0x17 };

		w = calls_begin(0);
		happen(&w, HAPPEN_STRAY, hows[how]);
		happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
		ask(&w, ASK_LIST, 0);
		pair(&w, ORDER_CREATE, 0);
		ask(&w, ASK_ADOPT, ID_STRAY);
		ask(&w, ASK_ADOPT, ID_STRAY);
		ask(&w, ASK_ADOPT, ID_NONE);
		ask(&w, ASK_INFO, ID_STRAY);
		ask(&w, ASK_REMOVE, ID_STRAY);
		ask(&w, ASK_REMOVE, ID_STRAY);
		happen(&w, HAPPEN_NO_DOMAINS, 0);
		ask(&w, ASK_LIST, 0);
		snprintf(name, sizeof(name), "stray-%d", how);
		calls_save_to("manager_calls", name, &w);
	}
	w = calls_begin(0);
	happen(&w, HAPPEN_STRAY, 0x11 | STRAY_AND_OTHER);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	ask(&w, ASK_LIST, VM_FEW);
	for (int from = 0; from < 4; from++)
		ask(&w, ASK_LIST, from << 5 | (from & 1 ? VM_FEW : 0));
	calls_save_to("manager_calls", "stray-pages", &w);
	w = calls_begin(0);
	happen(&w, HAPPEN_HOST, 1);
	pair(&w, ORDER_CREATE, 0);
	happen(&w, HAPPEN_HOST, 2);
	happen(&w, HAPPEN_NOTICE, VIRT_LOST);
	pair(&w, ORDER_CREATE, 0);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	happen(&w, HAPPEN_NOTICE, VIRT_STARTED);
	happen(&w, HAPPEN_NOTICE, VIRT_STOPPED);
	happen(&w, HAPPEN_NOTICE, VIRT_STOPPED | 0x40);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	ask(&w, ASK_LIST, 0);
	calls_save_to("manager_calls", "libvirt", &w);
	w = calls_begin(1);
	pair(&w, ORDER_CREATE, 0);
	happen(&w, HAPPEN_NOTICE, VIRT_STOPPED);
	happen(&w, HAPPEN_STRAY, 0x11);
	happen(&w, HAPPEN_HOST, 8);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	happen(&w, HAPPEN_NOTICE, VIRT_CONNECTED);
	ask(&w, ASK_REMOVE, ID_STRAY);
	ask(&w, ASK_ADOPT, ID_STRAY);
	ask(&w, ASK_LIST, 0);
	ask(&w, ASK_LIST, 0);
	calls_save_to("manager_calls", "at-once", &w);
}

static void save_recorded(void)
{
	struct writer w;
	char name[32];

	for (int flags = 2; flags < 16; flags += 2) {
		w = calls_begin((uint8_t)flags);
		happen(&w, HAPPEN_HOST, 1);
		happen(&w, HAPPEN_LOOK, 0);
		happen(&w, HAPPEN_LOOK, 0);
		happen(&w, HAPPEN_HOST, 0);
		happen(&w, HAPPEN_LOOK, 0);
		ask(&w, ASK_INFO, ID_FIRST);
		ask(&w, ASK_POLICY, ID_FIRST);
		ask(&w, ASK_ADOPT, ID_FIRST);
		ask(&w, ASK_INFO, ID_SECOND);
		happen(&w, HAPPEN_NOTICE, VIRT_STOPPED);
		happen(&w, HAPPEN_STRAY, 0x11);
		ask(&w, ASK_ADOPT, ID_STRAY);
		pair(&w, ORDER_CREATE, 0);
		happen(&w, HAPPEN_REMOVAL, 1);
		ask(&w, ASK_REMOVE, ID_FIRST);
		ask(&w, ASK_REMOVE, ID_FIRST);
		snprintf(name, sizeof(name), "recorded-%d", flags);
		calls_save_to("manager_calls", name, &w);
	}
}

void calls_manager_calls(void)
{
	save_recorded();
	save_vms();
	save_strays();
	save_seen();
	save_consoles();
	save_images();
	save_hosts();
}
