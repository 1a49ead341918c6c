/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wasm/wasm_form.h"

#include "agent/wasm/wasm_exit.h"
#include "common/base/cleanup.h"
#include "common/base/file_view.h"
#include "common/base/log.h"
#include "common/base/reader.h"

#include <string.h>

/* Core specification, 5.5.2: those that a module has once; 0 is custom, and comes as it likes. */
enum { SECTION_IMPORT = 2, SECTION_EXPORT = 7, SECTION_ONCE_MAX = 12 };
enum { KIND_FUNCTION = 0, KIND_MEMORY = 2 };

struct name {
	const uint8_t *at;
	size_t len;
};

/* All of WASI preview 1 (wasi_snapshot_preview1.witx). The runtime has more, its own sockets for one:
 * a module that asks for those would not run elsewhere, and finds no network here. */
static const char *const functions[] = {
	"args_get",
	"args_sizes_get",
	"clock_res_get",
	"clock_time_get",
	"environ_get",
	"environ_sizes_get",
	"fd_advise",
	"fd_allocate",
	"fd_close",
	"fd_datasync",
	"fd_fdstat_get",
	"fd_fdstat_set_flags",
	"fd_fdstat_set_rights",
	"fd_filestat_get",
	"fd_filestat_set_size",
	"fd_filestat_set_times",
	"fd_pread",
	"fd_prestat_dir_name",
	"fd_prestat_get",
	"fd_pwrite",
	"fd_read",
	"fd_readdir",
	"fd_renumber",
	"fd_seek",
	"fd_sync",
	"fd_tell",
	"fd_write",
	"path_create_directory",
	"path_filestat_get",
	"path_filestat_set_times",
	"path_link",
	"path_open",
	"path_readlink",
	"path_remove_directory",
	"path_rename",
	"path_symlink",
	"path_unlink_file",
	"poll_oneoff",
	"proc_exit",
	"proc_raise",
	"random_get",
	"sched_yield",
	"sock_accept",
	"sock_recv",
	"sock_send",
	"sock_shutdown",
};

int wasm_form_check_bytes(const uint8_t *bytes, size_t len)
{
	static const uint8_t core[8] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };

	if (len < sizeof(core) || memcmp(bytes, core, 4) != 0)
		return WASM_EXIT_BYTES;
	if (memcmp(bytes, core, sizeof(core)) == 0)
		return 0;
	return bytes[6] == 1 ? WASM_EXIT_COMPONENT : WASM_EXIT_BYTES; /* the layer of components */
}

static bool is(struct name name, const char *text)
{
	return name.len == strlen(text) && memcmp(name.at, text, name.len) == 0;
}

bool wasm_form_is_wasi(const void *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (is((struct name){ name, len }, functions[i]))
			return true;
	return false;
}

/* Unsigned LEB128 of at most 32 bits (5.2.2). */
static uint32_t take_number(struct reader *r)
{
	uint32_t sum = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t byte = reader_u8(r);

		if (shift == 28 && byte > 0x0f)
			break;
		sum |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return sum;
	}
	r->bad = true;
	return 0;
}

static struct name take_name(struct reader *r)
{
	size_t len = take_number(r);

	return (struct name){ reader_take(r, len), len };
}

static int malformed(struct err *e)
{
	return err_set(e, ERR_INVALID, "%s", wasm_exit_text(WASM_EXIT_MODULE));
}

/* The first that is not WASI's ends it: what follows need not be understood. */
static int judge_imports(struct reader *r, struct err *e)
{
	uint32_t count = take_number(r);

	for (uint32_t i = 0; i < count && reader_ok(r); i++) {
		struct name from = take_name(r), what = take_name(r);
		uint8_t kind = reader_u8(r);

		if (!reader_ok(r))
			break;
		if (kind != KIND_FUNCTION || !is(from, WASM_WASI) ||
		    !wasm_form_is_wasi(what.at, what.len))
			return err_set(e, ERR_INVALID, "import %u, %s of %s, is not WASI preview 1",
				       i, log_quote_bytes(what.at, what.len).text,
				       log_quote_bytes(from.at, from.len).text);
		take_number(r); /* its type */
	}
	return reader_done(r) ? 0 : malformed(e);
}

static int find_exports(struct reader *r, bool *is_program, struct err *e)
{
	uint32_t count = take_number(r);
	bool start = false, memory = false;

	for (uint32_t i = 0; i < count && reader_ok(r); i++) {
		struct name what = take_name(r);
		uint8_t kind = reader_u8(r);

		take_number(r); /* which one */
		if (!reader_ok(r))
			break;
		start = start || (kind == KIND_FUNCTION && is(what, "_start"));
		memory = memory || (kind == KIND_MEMORY && is(what, "memory"));
	}
	*is_program = start && memory;
	return reader_done(r) ? 0 : malformed(e);
}

static int judge_sections(struct reader *r, const atomic_bool *cancel, struct err *e)
{
	bool seen[SECTION_ONCE_MAX + 1] = { false }, is_program = false;

	/* each takes two bytes at least */
	while (reader_left(r) > 0) {
		uint8_t id = reader_u8(r);
		struct reader content = reader_sub(r, take_number(r));

		if (cancel && atomic_load(cancel))
			return err_set(e, ERR_CANCELLED, "stopped");
		if (!reader_ok(r) || (id > 0 && id <= SECTION_ONCE_MAX && seen[id]))
			return malformed(e);
		if (id <= SECTION_ONCE_MAX)
			seen[id] = true;
		if ((id == SECTION_IMPORT && judge_imports(&content, e) < 0) ||
		    (id == SECTION_EXPORT && find_exports(&content, &is_program, e) < 0))
			return err_code(e);
	}
	if (!is_program)
		return err_set(e, ERR_INVALID, "%s", wasm_exit_text(WASM_EXIT_PROGRAM));
	return 0;
}

/* "(module …", maybe behind blanks and a comment. */
static bool is_text(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len &&
	       (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
		at++;
	return at + 1 < len && (bytes[at] == '(' || (bytes[at] == ';' && bytes[at + 1] == ';'));
}

int wasm_form_judge(const uint8_t *bytes, size_t len, const atomic_bool *cancel, struct err *e)
{
	int wrong = wasm_form_check_bytes(bytes, len);
	struct reader r = reader_over(bytes, len);

	if (wrong && is_text(bytes, len))
		return err_set(e, ERR_INVALID,
			       "WebAssembly as a text: assemble it first (wat2wasm)");
	if (wrong)
		return err_set(e, ERR_INVALID, "%s", wasm_exit_text(wrong));
	reader_skip(&r, 8);
	return judge_sections(&r, cancel, e);
}

int wasm_form_judge_file(const char *path, const atomic_bool *cancel, struct err *e)
{
	CLEANUP_FILE_VIEW struct file_view view = { 0 };

	if (file_view_open(path, WASM_MODULE_MAX, &view, e) < 0)
		return e->code == ERR_EXHAUSTED
			       ? err_set(e, ERR_INVALID, "%s", wasm_exit_text(WASM_EXIT_BYTES))
			       : err_code(e);
	return wasm_form_judge(view.bytes, view.len, cancel, e);
}
