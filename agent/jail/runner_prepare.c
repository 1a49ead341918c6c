/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner_prepare.h"

#include "agent/jail/program.h"
#include "agent/jail/runner_files.h"
#include "agent/jail/runner_image.h"
#include "agent/wasm/wasm_form.h"
#include "agent/wasm/wasm_runtime.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/bundle/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

enum { WASM_PAGE = 65536, WASM_PAGES_MAX = 65536 };

static const uint64_t WASM_RESERVE = 16ULL << 30;

static const char wheel_folder[] = "/usr/share/python-wheels";

void runner_plan_done(struct runner_plan *plan)
{
	requirements_done(&plan->requirements);
	free(plan->argv);
	free(plan->wasm);
	free(plan->scratch_venv);
	free(plan->scratch_requirements);
	free(plan->unpacked);
	free(plan->script);
	free(plan->image);
	free(plan->run_bytes);
	free(plan->variables);
	for (size_t i = 0; i < plan->name_count; i++)
		free(plan->names[i]);
	*plan = (struct runner_plan){ 0 };
}

static void add_mount(struct runner_plan *plan, const char *source, const char *target,
		      bool executable)
{
	plan->mounts[plan->mount_count++] =
		(struct jail_mount){ .source = source, .target = target, .executable = executable };
}

/* A folder of files that the program may seem to change. */
static int prepare_layer(const char *folder, const char *target, bool executable,
			 struct runner_plan *plan, struct err *e)
{
	if (runner_files_give_tree(folder, e) < 0)
		return err_code(e);
	add_mount(plan, folder, target, executable);
	plan->mounts[plan->mount_count - 1].access = JAIL_LAYER;
	return 0;
}

static int prepare_datasets(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	if (prepare_layer(spec->datasets, "/task/datasets", false, plan, e) < 0)
		return err_wrap(e, "datasets");
	if (spec->cache && prepare_layer(spec->cache, "/home/.cache", true, plan, e) < 0)
		return err_wrap(e, "cache");
	return 0;
}

/* argv: up to three words, then the algorithm's arguments. */
static int make_argv(const struct runner_spec *spec, struct runner_plan *plan, const char *first,
		     const char *second, const char *third, struct err *e)
{
	size_t args = 0, count = 0;

	while (spec->args && spec->args[args])
		args++;
	plan->argv = calloc(args + 4, sizeof(*plan->argv));
	if (!plan->argv)
		return err_nomem(e);
	plan->argv[count++] = first;
	if (second)
		plan->argv[count++] = second;
	if (third)
		plan->argv[count++] = third;
	for (size_t i = 0; i < args; i++)
		plan->argv[count++] = spec->args[i];
	return 0;
}

static int prepare_bin(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	if (runner_files_give(spec->algorithm, 0555, e) < 0)
		return err_wrap(e, "algorithm");
	add_mount(plan, spec->algorithm, "/task/algorithm", true);
	return make_argv(spec, plan, "/task/algorithm", NULL, NULL, e);
}

/* The module is only read: what is executed is the runtime, which reserves what a memory could grow
 * to before it knows how far it does. */
static int prepare_wasm(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	uint64_t pages = jail_limits_filled(&spec->limits).memory / WASM_PAGE;

	if (wasm_runtime_find(&plan->wasm, e) < 0)
		return err_code(e);
	if (runner_files_give(spec->algorithm, 0444, e) < 0)
		return err_wrap(e, "algorithm");
	add_mount(plan, spec->algorithm, "/task/algorithm", false);
	add_mount(plan, plan->wasm, "/wasm/cocos-wasm", true);
	plan->reserve = WASM_RESERVE;
	snprintf(plan->wasm_pages, sizeof(plan->wasm_pages), "%llu",
		 (unsigned long long)(pages < WASM_PAGES_MAX ? pages : WASM_PAGES_MAX));
	return make_argv(spec, plan, "/wasm/cocos-wasm", plan->wasm_pages, "/task/algorithm", e);
}

static int prepare_image(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	if (runner_files_give(spec->algorithm, 0444, e) < 0)
		return err_wrap(e, "algorithm");
	return runner_image_prepare(spec, plan, e);
}

/* A zip begins so, and no Python text does. */
static int is_zip(const char *path, bool *zip, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char magic[4] = "";

	if (fd < 0 || read(fd, magic, sizeof(magic)) < 0)
		return err_errno(e, "open '%s'", path);
	*zip = memcmp(magic, "PK\3\4", 4) == 0;
	return 0;
}

/* main.py, else __main__.py, else the only one. */
static int find_script(const char *dir, char **script, struct err *e)
{
	CLEANUP(closedir) DIR *list = opendir(dir);
	const struct dirent *item;
	char found[256] = "";
	size_t count = 0;
	int more;

	if (!list)
		return err_errno(e, "read '%s'", dir);
	while ((more = dir_next(list, &item, e)) > 0) {
		size_t len = strlen(item->d_name);

		if (len < 4 || strcmp(item->d_name + len - 3, ".py") != 0)
			continue;
		count++;
		snprintf(found, sizeof(found), "%s", item->d_name);
	}
	if (more < 0)
		return err_wrap(e, "'%s'", dir);
	if (faccessat(dirfd(list), "main.py", F_OK, 0) == 0)
		snprintf(found, sizeof(found), "main.py");
	else if (faccessat(dirfd(list), "__main__.py", F_OK, 0) == 0)
		snprintf(found, sizeof(found), "__main__.py");
	else if (count != 1)
		return err_set(e, ERR_INVALID,
			       "its zip has %zu scripts at the top and none is main.py", count);
	return text_format(script, e, "/task/algorithm/%s", found);
}

static int unpack(const struct runner_spec *spec, const atomic_bool *cancel,
		  struct runner_plan *plan, struct err *e)
{
	const struct bundle_limits limits = { .cancel = cancel };
	CLEANUP(close) int dir = open(plan->unpacked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "open '%s'", plan->unpacked);
	if (bundle_extract(spec->algorithm, dir, &limits, e) < 0)
		return err_code(e);
	return find_script(plan->unpacked, &plan->script, e);
}

/* The script alone in its folder: the first place where python looks for modules is the script's, and
 * in /task the datasets of others would be found there. */
static int put_alone(const struct runner_spec *spec, struct runner_plan *plan, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/main.py", plan->unpacked) < 0 ||
	    text_format(&plan->script, e, "/task/algorithm/main.py") < 0)
		return err_code(e);
	return link(spec->algorithm, path) < 0 ? err_errno(e, "make '%s'", path) : 0;
}

static int prepare_script(const struct runner_spec *spec, const atomic_bool *cancel,
			  struct runner_plan *plan, struct err *e)
{
	bool zip = false;

	if (is_zip(spec->algorithm, &zip, e) < 0 ||
	    text_format(&plan->unpacked, e, "%s/algorithm", spec->scratch) < 0)
		return err_code(e);
	if (mkdir(plan->unpacked, 0755) < 0)
		return err_errno(e, "make '%s'", plan->unpacked);
	if ((zip ? unpack(spec, cancel, plan, e) : put_alone(spec, plan, e)) < 0 ||
	    prepare_layer(plan->unpacked, "/task/algorithm", true, plan, e) < 0)
		return err_wrap(e, "algorithm");
	return make_argv(spec, plan, "/venv/bin/python3", plan->script, NULL, e);
}

static int prepare_env(const struct runner_spec *spec, struct runner_plan *plan, int *venv,
		       struct err *e)
{
	if (text_format(&plan->scratch_venv, e, "%s/venv", spec->scratch) < 0)
		return err_code(e);
	if (mkdir(plan->scratch_venv, 0755) < 0 || chmod(plan->scratch_venv, 0755) < 0)
		return err_errno(e, "make '%s'", plan->scratch_venv);
	CLEANUP(close) int dir = open(plan->scratch_venv, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, "open '%s'", plan->scratch_venv);
	if (python_env_make(&plan->env, dir, e) < 0)
		return err_code(e);
	add_mount(plan, plan->scratch_venv, "/venv", true);
	*venv = TAKE_FD(dir);
	return 0;
}

/* The bundle's first, then those in the algorithm's zip. */
static int install_wheels(const struct runner_spec *spec, const struct runner_plan *plan, int venv,
			  const atomic_bool *cancel, struct err *e)
{
	const char *const places[] = { spec->wheels, plan->unpacked };
	static const char *const names[] = { ".", "wheels" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CLEANUP(close) int top = places[i] ? open(places[i], O_PATH | O_CLOEXEC) : -1;
		CLEANUP(close)
		int wheels = top < 0 ? -1
				     : openat(top, names[i],
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		/* there may be none */
		if (wheels >= 0 && python_env_install(&plan->env, venv, wheels, cancel, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* pip as Debian ships it: a wheel beside ensurepip, or the module. */
static int find_pip(struct runner_plan *plan, struct err *e)
{
	CLEANUP(closedir) DIR *list = opendir(wheel_folder);
	const struct dirent *item;
	int more = 0;

	while (list && (more = dir_next(list, &item, e)) > 0) {
		size_t len = strlen(item->d_name);

		if (strncmp(item->d_name, "pip-", 4) != 0 || len < 8 || len > 250 ||
		    strcmp(item->d_name + len - 4, ".whl") != 0)
			continue;
		snprintf(plan->pip, sizeof(plan->pip), "%s/%.250s/pip", wheel_folder, item->d_name);
		return 0;
	}
	if (more < 0)
		return err_wrap(e, "'%s'", wheel_folder);
	if (access("/usr/lib/python3/dist-packages/pip/__main__.py", R_OK) == 0)
		return 0;
	return err_set(e, ERR_PRECONDITION, "requirements: this image has no pip to ask the index");
}

static bool is_url(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return false;
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return strlen(url) <= 2048;
}

static int prepare_index(const struct runner_spec *spec, struct runner_plan *plan,
			 const struct writer *lines, int venv, struct err *e)
{
	if (!is_url(spec->pip_index_url))
		return err_set(e, ERR_PRECONDITION,
			       "requirements: AGENT_PIP_INDEX_URL %s is no "
			       "http or https address",
			       log_quote(spec->pip_index_url).text);
	if (find_pip(plan, e) < 0 ||
	    text_format(&plan->scratch_requirements, e, "%s/requirements.txt", spec->scratch) < 0 ||
	    file_write(plan->scratch_requirements, lines->bytes, lines->len, 0644, e) < 0)
		return err_code(e);
	/* the jail's nobody writes there, in that step */
	if (geteuid() == 0 && fchownat(venv, plan->env.site, JAIL_UID, JAIL_UID, 0) < 0)
		return err_errno(e, "requirements: hand over '%s'", plan->env.site);
	plan->needs_index = true;
	return 0;
}

static int judge_requirements(const struct runner_spec *spec, const atomic_bool *cancel,
			      struct runner_plan *plan, int venv, struct err *e)
{
	__attribute__((cleanup(python_missing_done))) struct python_missing missing = { 0 };
	bool index = spec->pip_index_url && spec->pip_index_url[0];

	if (python_judge(&plan->env, venv, &plan->requirements, cancel, &missing, e) < 0)
		return err_code(e);
	if (missing.count == 0)
		return 0;
	if (index && missing.hashed && writer_check(&missing.lines, "requirements", e) == 0)
		return prepare_index(spec, plan, &missing.lines, venv, e);
	return err_set(e, ERR_PRECONDITION, "requirements: missing here: %.*s%s: %s",
		       (int)missing.text.len, (const char *)missing.text.bytes,
		       missing.text.bad ? " and more" : "",
		       index ? "the index is asked only if every such line has --hash"
			     : "send their wheels, as cocos-cli algo -r does, there is no index");
}

static int prepare_python(const struct runner_spec *spec, const atomic_bool *cancel,
			  struct runner_plan *plan, struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	CLEANUP(close) int venv = -1;
	size_t len;

	if (python_env_find(spec->python_runtime, "", &plan->env, e) < 0)
		return err_code(e);
	if (spec->requirements &&
	    (file_read(spec->requirements, REQUIREMENTS_BYTES_MAX, &text, &len, e) < 0 ||
	     requirements_parse(text, len, &plan->env.target, &plan->requirements, e) < 0))
		return err_code(e);
	if (prepare_script(spec, cancel, plan, e) < 0 || prepare_env(spec, plan, &venv, e) < 0 ||
	    install_wheels(spec, plan, venv, cancel, e) < 0)
		return err_code(e);
	return judge_requirements(spec, cancel, plan, venv, e);
}

int runner_prepare(const struct runner_spec *spec, const atomic_bool *cancel,
		   struct runner_plan *plan, struct err *e)
{
	if (prepare_datasets(spec, plan, e) < 0)
		return err_code(e);
	if (spec->kind == RUNNER_BIN)
		return prepare_bin(spec, plan, e);
	if (spec->kind == RUNNER_WASM)
		return prepare_wasm(spec, plan, e);
	if (spec->kind == RUNNER_DOCKER)
		return prepare_image(spec, plan, e);
	return prepare_python(spec, cancel, plan, e);
}

int runner_prepare_check(const struct runner_plan *plan, const atomic_bool *cancel, struct err *e)
{
	__attribute__((cleanup(python_missing_done))) struct python_missing missing = { 0 };
	CLEANUP(close) int venv = open(plan->scratch_venv, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (venv < 0)
		return err_errno(e, "open '%s'", plan->scratch_venv);
	if (python_judge(&plan->env, venv, &plan->requirements, cancel, &missing, e) < 0)
		return err_code(e);
	if (missing.count > 0)
		return err_set(e, ERR_PRECONDITION, "requirements: the index did not deliver: %.*s",
			       (int)missing.text.len, (const char *)missing.text.bytes);
	return 0;
}

int runner_prepare_try(const struct runner_spec *spec, const atomic_bool *cancel, struct err *e)
{
	struct runner_plan plan = { 0 };
	int failed;

	if (spec->kind == RUNNER_DOCKER)
		return runner_image_judge(spec, cancel, e);
	if (spec->kind == RUNNER_BIN && program_judge_file(spec->algorithm, e) < 0)
		return err_wrap(e, "program");
	if (spec->kind == RUNNER_WASM && wasm_form_judge_file(spec->algorithm, cancel, e) < 0)
		return err_wrap(e, "wasm");
	if (spec->kind != RUNNER_PYTHON)
		return 0;
	failed = prepare_python(spec, cancel, &plan, e);
	runner_plan_done(&plan);
	return failed;
}

void runner_prepare_pip(const struct runner_plan *plan, const char *index_url,
			const char *argv[RUNNER_PIP_ARGS_MAX], char *target, size_t target_size)
{
	static const char *const options[] = {
		"install",
		"--isolated",
		"--no-input",
		"--disable-pip-version-check",
		"--no-cache-dir",
		"--no-color",
		"--progress-bar=off",
		"--only-binary=:all:", /* or building would run code that nobody signed */
		"--no-deps",
		"--require-hashes",
		"--no-compile",
	};
	size_t count = 0;

	snprintf(target, target_size, "/venv/%s", plan->env.site);
	argv[count++] = plan->env.interpreter;
	argv[count++] = "-I";
	if (!plan->pip[0])
		argv[count++] = "-m";
	argv[count++] = plan->pip[0] ? plan->pip : "pip";
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		argv[count++] = options[i];
	argv[count++] = "--index-url";
	argv[count++] = index_url;
	argv[count++] = "--target";
	argv[count++] = target;
	argv[count++] = "--requirement";
	argv[count++] = "/task/requirements.txt";
	argv[count] = NULL;
}
