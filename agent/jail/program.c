/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/program.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static const struct machine {
	uint16_t elf;
	const char *kernel;
} machines[] = {
	{ EM_X86_64, "x86_64" }, { EM_AARCH64, "aarch64" }, { EM_RISCV, "riscv64" },
	{ EM_386, "i386" },      { EM_ARM, "arm" },         { EM_PPC64, "ppc64" },
	{ EM_S390, "s390x" },
};

/* ---- its interpreter ---- */

static bool begins_with_one_of(const char *path, const char *const *names, size_t count)
{
	const char *first = path + strspn(path, "/");
	size_t len = strcspn(first, "/");

	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(first, names[i], len) == 0)
			return true;
	return false;
}

/* What the sandbox has of its own is not the machine's to look at, nor is a path in what a dataset brings. */
static bool is_inside(const char *path)
{
	static const char *const names[] = { "task", "home", "tmp", "dev", "proc", "etc", "." };

	if (path[0] != '/')
		return strchr(path, '/') != NULL;
	return strstr(path, "/..") || begins_with_one_of(path, names, ARRAY_LEN(names));
}

/* The machine's folders that the sandbox shows (jail_root.c): of others nobody is told whether they have something. */
static bool is_seen(const char *path)
{
	static const char *const names[] = {
		"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"
	};

	return begins_with_one_of(path, names, ARRAY_LEN(names));
}

static int judge_interpreter(const char *path, const char *remedy, struct err *e)
{
	size_t len = strlen(path);
	struct stat st;

	if (is_inside(path))
		return 0;
	if (path[0] != '/')
		return err_set(e, ERR_INVALID, "its interpreter %s is no absolute path",
			       log_quote(path).text);
	if (is_seen(path) && stat(path, &st) == 0)
		return S_ISREG(st.st_mode)
			       ? 0
			       : err_set(e, ERR_INVALID, "its interpreter %s is no program",
					 log_quote(path).text);
	/* whatever else it is shows when it runs */
	if (is_seen(path) && errno != ENOENT && errno != ENOTDIR)
		return 0;
	return err_set(e, ERR_INVALID, "its interpreter %s is not there: %s", log_quote(path).text,
		       path[len - 1] == '\r' ? "end its lines with LF alone" : remedy);
}

/* ---- scripts ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Up to the line's end, a blank or a zero; without one of these it may go on behind what is looked at. */
static int judge_script(const char line[PROGRAM_LINE_MAX + 1], struct err *e)
{
	const char *start = line + 2, *stop;
	char path[PROGRAM_LINE_MAX];

	while (is_blank(*start))
		start++;
	stop = start + strcspn(start, " \t\n");
	if (start == stop)
		return err_set(e, ERR_INVALID, "a script that names no interpreter behind #!");
	if (stop == line + PROGRAM_LINE_MAX)
		return err_set(e, ERR_INVALID,
			       "a script whose interpreter is not named in its first %d bytes",
			       PROGRAM_LINE_MAX);
	memcpy(path, start, (size_t)(stop - start));
	path[stop - start] = '\0';
	return judge_interpreter(path, "name one that this image has", e);
}

/* ---- ELF ---- */

static const char *name_of(uint16_t machine)
{
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (machines[i].elf == machine)
			return machines[i].kernel;
	return "another machine";
}

static int judge_machine(uint16_t machine, struct err *e)
{
	struct utsname here;

	uname(&here);
	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		if (strcmp(machines[i].kernel, here.machine) == 0 && machines[i].elf != machine)
			return err_set(e, ERR_INVALID,
				       "an ELF file for %s (%u), and this has to be %s",
				       name_of(machine), (unsigned)machine, here.machine);
	return 0;
}

static int read_whole(int file, void *bytes, size_t len, uint64_t from, const char *what,
		      struct err *e)
{
	/* beyond it no file reaches */
	int whole = from > INT64_MAX - len ? 0 : fd_read_at(file, bytes, len, from, e);

	if (whole < 0)
		return err_code(e);
	return whole ? 0
		     : err_set(e, ERR_INVALID, "an ELF file that is cut off before its %s", what);
}

static int judge_named(int file, uint64_t from, uint64_t len, struct err *e)
{
	char path[PROGRAM_INTERPRETER_MAX];

	if (len < 2 || len > sizeof(path))
		return err_set(e, ERR_INVALID, "an ELF file whose interpreter has %llu bytes",
			       (unsigned long long)len);
	if (read_whole(file, path, (size_t)len, from, "interpreter", e) < 0)
		return err_code(e);
	if (path[len - 1] != '\0' || path[0] == '\0')
		return err_set(e, ERR_INVALID, "an ELF file whose interpreter is no path");
	return judge_interpreter(path, "link the program statically", e);
}

/* The first that names an interpreter counts. */
static int judge_headers(int file, uint64_t from, uint16_t count, struct err *e)
{
	const size_t len = sizeof(Elf64_Phdr) * count;
	CLEANUP(free) uint8_t *bytes = malloc(len);
	struct reader r = reader_over(bytes, len);

	if (!bytes)
		return err_nomem(e);
	if (read_whole(file, bytes, len, from, "program headers", e) < 0)
		return err_code(e);
	for (uint16_t i = 0; i < count; i++) {
		uint32_t type = reader_le32(&r);
		uint64_t offset, size;

		reader_skip(&r, 4); /* p_flags */
		offset = reader_le64(&r);
		reader_skip(&r, 16); /* p_vaddr, p_paddr */
		size = reader_le64(&r);
		reader_skip(&r, 16); /* p_memsz, p_align */
		if (type == PT_INTERP)
			return judge_named(file, offset, size, e);
	}
	return 0;
}

/* Class and byte order the kernel does not look at: a header of 32 bits has none of this size. */
static int judge_elf(int file, const char *start, struct err *e)
{
	struct reader r = reader_over(start, sizeof(Elf64_Ehdr));

	reader_skip(&r, EI_NIDENT);
	uint16_t type = reader_le16(&r);
	uint16_t machine = reader_le16(&r);
	reader_skip(&r, 4 + 8); /* e_version, e_entry */
	uint64_t headers = reader_le64(&r);
	reader_skip(&r, 8 + 4 + 2); /* e_shoff, e_flags, e_ehsize */
	uint16_t header_len = reader_le16(&r);
	uint16_t count = reader_le16(&r);

	if (judge_machine(machine, e) < 0)
		return err_code(e);
	if (type != ET_EXEC && type != ET_DYN)
		return err_set(e, ERR_INVALID, "an ELF file that is no program%s",
			       type == ET_REL ? ": link it first" : "");
	if (header_len != sizeof(Elf64_Phdr))
		return err_set(e, ERR_INVALID, "an ELF file that is no program of 64 bits");
	if (count == 0 || count > PROGRAM_HEADERS_MAX)
		return err_set(e, ERR_INVALID,
			       "an ELF file with %u program headers, and 1 to %d can be",
			       (unsigned)count, PROGRAM_HEADERS_MAX);
	return judge_headers(file, headers, count, e);
}

int program_judge(int file, struct err *e)
{
	/* As the kernel has it, zeros behind a short file. */
	char start[PROGRAM_LINE_MAX + 1] = { 0 };
	ssize_t len;

	do
		len = pread(file, start, PROGRAM_LINE_MAX, 0);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return err_errno(e, "read it");
	if (len == 0)
		return err_set(e, ERR_INVALID, "an empty file");
	if (memcmp(start, "#!", 2) == 0)
		return judge_script(start, e);
	if (memcmp(start, ELFMAG, SELFMAG) == 0)
		return judge_elf(file, start, e);
	return err_set(
		e, ERR_INVALID,
		"neither an ELF program nor a script that begins with #!; what is for python, wasm or "
		"docker needs that as its type");
}

int program_judge_file(const char *path, struct err *e)
{
	CLEANUP(close) int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return file < 0 ? err_errno(e, "open '%s'", path) : program_judge(file, e);
}
