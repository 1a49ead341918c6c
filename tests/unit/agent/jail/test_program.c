/* SPDX-License-Identifier: Apache-2.0 */
/* What a `bin` algorithm has to be: each limit, one beside it, and what the kernel takes although it looks odd. */
#include "agent/jail/program.h"
#include "agent/jail/runner_prepare.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/utsname.h>

enum { HEADER = sizeof(Elf64_Ehdr), SEGMENT = sizeof(Elf64_Phdr) };

static int judge(const void *bytes, size_t len, struct err *e)
{
	CLEANUP(close) int file = memfd_create("program", MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_ok(fd_write_all(file, bytes, len, e), *e);
	return program_judge(file, e);
}

static int script(const char *text, struct err *e)
{
	return judge(text, strlen(text), e);
}

static uint16_t machine(void)
{
	struct utsname name;

	uname(&name);
	return strcmp(name.machine, "aarch64") == 0   ? EM_AARCH64
	       : strcmp(name.machine, "riscv64") == 0 ? EM_RISCV
						      : EM_X86_64;
}

/* A header, one segment, and what that names; `used` of it. */
struct program {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char interpreter[PROGRAM_INTERPRETER_MAX + 1];
	size_t used;
};

static struct program program(uint32_t segment, const char *interpreter)
{
	struct program p = {
		.header = { .e_ident = ELFMAG "\2\1\1",
			    .e_type = ET_DYN,
			    .e_machine = machine(),
			    .e_phoff = HEADER,
			    .e_phentsize = SEGMENT,
			    .e_phnum = 1 },
		.segment = { .p_type = segment,
			     .p_offset = HEADER + SEGMENT,
			     .p_filesz = strlen(interpreter) + 1 },
		.used = HEADER + SEGMENT + strlen(interpreter) + 1,
	};

	snprintf(p.interpreter, sizeof(p.interpreter), "%s", interpreter);
	return p;
}

static int elf(const struct program *p, struct err *e)
{
	return judge(p, p->used, e);
}

static void what_is_no_program_is_refused(void **state)
{
	struct err e;

	assert_refused(judge("", 0, &e), e, ERR_INVALID, "an empty file");
	assert_refused(script("print('x')\n", &e), e, ERR_INVALID, "neither an ELF program");
	assert_refused(script("#", &e), e, ERR_INVALID, "neither an ELF program");
	assert_refused(script("\177EL", &e), e, ERR_INVALID, "neither an ELF program");
	assert_refused(judge("PK\3\4", 4, &e), e, ERR_INVALID, "needs that as its type");
}

static void scripts_name_an_interpreter_that_is_there(void **state)
{
	static const char *const good[] = {
		"#!/bin/sh",
		"#!/bin/sh\n",
		"#! \t/bin/sh -e\nexit\n",
		"#!//usr/bin/env python3\n",
		/* what comes with a dataset, or is the sandbox's own, shows when it runs */
		"#!/home/.cache/run\n",
		"#!/task/datasets/run\n",
		"#!/proc/none\n",
		"#!../none/x\n",
	};
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "#!", "names no interpreter" },
		{ "#! \t\n/bin/sh\n", "names no interpreter" },
		{ "#!/none/sh\n", "'/none/sh' is not there: name one that this image has" },
		{ "#!/bin/sh/none\n", "'/bin/sh/none' is not there" },
		{ "#!/homely/sh\n", "'/homely/sh' is not there" },
		{ "#!/bin/sh\r\nexit\r\n", "end its lines with LF alone" },
		{ "#!/usr/bin\n", "'/usr/bin' is no program" },
		{ "#!python3\n", "'python3' is no absolute path" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(script(good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(script(bad[i].text, &e), e, ERR_INVALID, bad[i].words);
}

/* The byte behind the path is the last that the kernel looks at, or lies behind it. */
static void an_interpreter_ends_within_the_first_256_bytes(void **state)
{
	static const char name[] = "/bin/sh";
	char text[PROGRAM_LINE_MAX + 2];
	struct err e;

	for (size_t end = PROGRAM_LINE_MAX - 1; end <= PROGRAM_LINE_MAX; end++) {
		memset(text, ' ', sizeof(text));
		memcpy(text, "#!", 2);
		memcpy(text + end - strlen(name), name, strlen(name));
		if (end < PROGRAM_LINE_MAX)
			assert_ok(judge(text, sizeof(text), &e), e);
		else
			assert_refused(judge(text, sizeof(text), &e), e, ERR_INVALID,
				       "not named in its first 256 bytes");
	}
}

static void programs_of_this_machine_are_taken(void **state)
{
	struct program p = program(PT_LOAD, "");
	struct err e;

	CLEANUP(close) int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_ok(program_judge(own, &e), e);
	assert_ok(elf(&p, &e), e);
	p.header.e_type = ET_EXEC;
	/* neither class nor byte order matters to the kernel */
	memset(p.header.e_ident + SELFMAG, 1, EI_NIDENT - SELFMAG);
	assert_ok(elf(&p, &e), e);
	p = program(PT_INTERP, "/bin/sh");
	assert_ok(elf(&p, &e), e);
	p = program(PT_INTERP, "/home/.cache/ld.so");
	assert_ok(elf(&p, &e), e);
}

static void other_programs_are_refused_by_their_reason(void **state)
{
	struct program p = program(PT_LOAD, "");
	struct err e;

	p.header.e_machine = EM_S390;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "an ELF file for s390x (22), and this has");
	p.header.e_machine = 0xffff;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "for another machine (65535)");
	p = program(PT_LOAD, "");
	p.header.e_type = ET_REL;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "no program: link it first");
	p.header.e_type = ET_CORE;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "an ELF file that is no program");
	p = program(PT_LOAD, "");
	p.header.e_phentsize = sizeof(Elf32_Phdr);
	assert_refused(elf(&p, &e), e, ERR_INVALID, "no program of 64 bits");
	p = program(PT_INTERP, "/lib/none.so.1");
	assert_refused(elf(&p, &e), e, ERR_INVALID,
		       "'/lib/none.so.1' is not there: link the program statically");
	p = program(PT_INTERP, "");
	p.segment.p_filesz = 2;
	p.used++;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "whose interpreter is no path");
	p = program(PT_INTERP, "/bin/sh");
	p.segment.p_filesz--;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "whose interpreter is no path");
}

static void its_parts_lie_in_the_file(void **state)
{
	struct program p = program(PT_INTERP, "/bin/sh");
	const size_t whole = p.used;
	struct err e;

	for (p.used = 4; p.used < whole; p.used++)
		assert_int_equal(elf(&p, &e), -ERR_INVALID);
	p.used = whole - 1;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "cut off before its interpreter");
	p.used = HEADER + SEGMENT - 1;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "cut off before its program headers");
	p.used = whole;
	p.segment.p_offset = UINT64_MAX;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "cut off before its interpreter");
	p.header.e_phoff = INT64_MAX;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "cut off before its program headers");
}

static void an_interpreter_has_at_most_4096_bytes(void **state)
{
	struct program p = program(PT_INTERP, "/bin/sh");
	struct err e;

	p.segment.p_filesz = PROGRAM_INTERPRETER_MAX; /* what is behind its zero is passed over */
	p.used = HEADER + SEGMENT + PROGRAM_INTERPRETER_MAX;
	assert_ok(elf(&p, &e), e);
	p.segment.p_filesz++;
	p.used++;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "whose interpreter has 4097 bytes");
	p.segment.p_filesz = 1;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "whose interpreter has 1 bytes");
}

static void it_has_at_most_1170_headers(void **state)
{
	const size_t most = HEADER + (PROGRAM_HEADERS_MAX + 1) * SEGMENT;
	CLEANUP(free) uint8_t *bytes = calloc(1, most);
	struct program p = program(PT_LOAD, "");
	struct err e;

	assert_non_null(bytes);
	p.header.e_phnum = PROGRAM_HEADERS_MAX;
	memcpy(bytes, &p.header, HEADER);
	assert_ok(judge(bytes, most, &e), e);
	p.header.e_phnum++;
	memcpy(bytes, &p.header, HEADER);
	assert_refused(judge(bytes, most, &e), e, ERR_INVALID, "1171 program headers");
	p.header.e_phnum = 0;
	assert_refused(elf(&p, &e), e, ERR_INVALID, "with 0 program headers");
}

/* As it comes in an upload: by its type, and under its name. */
static void each_kind_is_judged_as_what_it_is(void **state)
{
	char path[] = "/tmp/test-program-XXXXXX";
	CLEANUP(close) int file = mkstemp(path);
	struct runner_spec spec = { .algorithm = path, .kind = RUNNER_BIN };
	static const atomic_bool go = false;
	struct err e;

	assert_true(file >= 0);
	assert_ok(fd_write_all(file, "x = 1\n", 6, &e), e);
	assert_refused(runner_prepare_try(&spec, &go, &e), e, ERR_INVALID, "program: neither");
	spec.kind = RUNNER_WASM;
	assert_refused(runner_prepare_try(&spec, &go, &e), e, ERR_INVALID, "wasm: no WebAssembly");
	assert_int_equal(pwrite(file, "#!/bin/sh\n", 10, 0), 10);
	spec.kind = RUNNER_BIN;
	assert_ok(runner_prepare_try(&spec, &go, &e), e);
	unlink(path);
	assert_refused(runner_prepare_try(&spec, &go, &e), e, ERR_NOT_FOUND, "program: open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_program_is_refused),
		cmocka_unit_test(scripts_name_an_interpreter_that_is_there),
		cmocka_unit_test(an_interpreter_ends_within_the_first_256_bytes),
		cmocka_unit_test(programs_of_this_machine_are_taken),
		cmocka_unit_test(other_programs_are_refused_by_their_reason),
		cmocka_unit_test(its_parts_lie_in_the_file),
		cmocka_unit_test(an_interpreter_has_at_most_4096_bytes),
		cmocka_unit_test(it_has_at_most_1170_headers),
		cmocka_unit_test(each_kind_is_judged_as_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
