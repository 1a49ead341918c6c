/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/python/pip.h"

#include "cli/base/text.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

enum { ARGS_MAX = 192, GLIBC_MIN = 5, LOG_MAX = 1 << 20 };

extern char **environ;

/*
 * pip judges markers by the interpreter that it runs on, and takes what that one has installed for
 * there. Both have to be the image's: the packages of the machine are taken off the path, those of
 * the image put there, and the environment of markers is theirs. Platform options without --target
 * are newer than --report; a dry run installs nothing, so the check is of no use.
 */
static const char script[] =
	"import json, sys\n"
	"image, lock, minor, machine = sys.argv[1:5]\n"
	"import pip\n"
	"own = ('site-packages', 'dist-packages')\n"
	"sys.path = [image] + [p for p in sys.path if p and not any(o in p for o in own)]\n"
	"from pip._internal.cli import cmdoptions\n"
	"from pip._internal.cli.main import main\n"
	"from pip._vendor.packaging import markers\n"
	"plain = markers.default_environment\n"
	"full = f'3.{minor}.99'\n"
	"def environment():\n"
	"    return dict(plain(), python_version='3.' + minor, python_full_version=full,\n"
	"                implementation_version=full, implementation_name='cpython',\n"
	"                platform_python_implementation='CPython', os_name='posix',\n"
	"                sys_platform='linux', platform_system='Linux', platform_machine=machine,\n"
	"                platform_release='', platform_version='')\n"
	"markers.default_environment = environment\n"
	"restrictions = cmdoptions.check_dist_restriction\n"
	"cmdoptions.check_dist_restriction = lambda o, check_target=False: restrictions(o)\n"
	"failed = main(sys.argv[5:])\n"
	"if failed or not lock:\n"
	"    sys.exit(failed)\n"
	"with open(lock) as report:\n"
	"    rows = json.load(report)['install']\n"
	"def line(row):\n"
	"    archive, about = row['download_info']['archive_info'], row['metadata']\n"
	"    digest = archive.get('hashes', {}).get('sha256')\n"
	"    digest = digest or archive['hash'].split('sha256=')[1]\n"
	"    return f\"{about['name'].lower()}=={about['version']} --hash=sha256:{digest}\\n\"\n"
	"with open(lock, 'w') as out:\n"
	"    out.writelines(sorted(map(line, rows)))\n";

struct args {
	const char *words[ARGS_MAX];
	char texts[ARGS_MAX][96];
	size_t count;
	bool overflowed; /* a word did not fit, or not whole: run() refuses */
};

static void add(struct args *a, const char *word)
{
	if (a->count < ARGS_MAX - 1)
		a->words[a->count++] = word;
	else
		a->overflowed = true;
}

static void add_text(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add_text(struct args *a, const char *fmt, ...)
{
	char *text = a->texts[a->count];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(a->texts[0]), fmt, args) >= (int)sizeof(a->texts[0]))
		a->overflowed = true;
	va_end(args);
	add(a, text);
}

static void add_all(struct args *a, const char *const *words)
{
	for (; *words; words++)
		add(a, *words);
}

/* manylinux_2_N of every C library up to the image's, newest first, and the names before PEP 600. */
static void add_platforms(struct args *a, const struct python_target *target)
{
	static const struct {
		unsigned int glibc;
		const char *name;
	} older[] = { { 17, "manylinux2014" }, { 12, "manylinux2010" }, { 5, "manylinux1" } };

	for (unsigned int glibc = target->glibc; glibc >= GLIBC_MIN; glibc--) {
		add_text(a, "--platform=manylinux_2_%u_%s", glibc, target->machine);
		for (size_t i = 0; i < ARRAY_LEN(older); i++)
			if (older[i].glibc == glibc)
				add_text(a, "--platform=%s_%s", older[i].name, target->machine);
	}
	add_text(a, "--platform=linux_%s", target->machine);
}

static void begin(struct args *a, const struct pip *pip, const char *lock,
		  const char *const *command)
{
	static const char *const common[] = { "--no-input",
					      "--disable-pip-version-check",
					      "--no-color",
					      "--progress-bar=off",
					      "--only-binary=:all:",
					      "--implementation=cp",
					      NULL };
	const char *const start[] = { "python3", "-c", script, pip->image, lock, NULL };

	*a = (struct args){ 0 };
	add_all(a, start);
	add_text(a, "%u", pip->target->minor);
	add(a, pip->target->machine);
	add_all(a, command);
	add_all(a, common);
	add_text(a, "--python-version=3.%u", pip->target->minor);
	add_text(a, "--abi=cp3%u", pip->target->minor);
	add_platforms(a, pip->target);
}

/* The line that says why: pip's first ERROR, or the last of what a traceback says. */
static void tell(struct cli *cli, const char *log, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	char *found = NULL, *last = NULL, *rest, *line;
	struct err ignored;

	if (file_read_text(log, LOG_MAX, &text, &ignored) < 0)
		text = NULL;
	for (rest = text; rest && (line = strsep(&rest, "\n"));) {
		if (cli->verbose && *line)
			fprintf(stderr, "%s\n", text_plain(line).text);
		if (*line)
			last = line;
		if (strncmp(line, "ERROR: ", 7) == 0 && strstr(line, "No matching"))
			found = line + 7;
		else if (!found && strncmp(line, "ERROR: ", 7) == 0)
			found = line + 7;
	}
	found = found ? found : last;
	err_set(e, ERR_PRECONDITION, "pip: %s", text_plain(found ? found : "failed").text);
	if (found && strstr(found, "No module named"))
		cli_hint(cli,
			 "this machine's python3 has no pip (22.2 or later): install it, or give "
			 "--wheels DIR with wheels that were fetched elsewhere");
	else
		cli_hint(cli,
			 "a package without a wheel can be built ('pip wheel --no-deps -w DIR "
			 "NAME') and found with PIP_FIND_LINKS=DIR; --wheels DIR needs no pip");
}

static int wait_for(pid_t pid, int *status, struct err *e)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "pip: wait");
	return 0;
}

static int run(struct cli *cli, const struct pip *pip, struct args *a, struct err *e)
{
	posix_spawn_file_actions_t files;
	int failed, status = 0;
	pid_t pid = 0;

	if (a->overflowed)
		return err_set(
			e, ERR_EXHAUSTED,
			"pip: the agent names glibc 2.%u for %s: wheels of so many platforms "
			"are more than pip is asked for (%d words); give --wheels DIR",
			pip->target->glibc, log_quote(pip->target->machine).text, ARGS_MAX - 1);
	if (posix_spawn_file_actions_init(&files) != 0)
		return err_nomem(e);
	failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_addopen(
			&files, 1, pip->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&files, 1, 2);
	if (!failed)
		failed = posix_spawnp(&pid, a->words[0], &files, NULL, (char *const *)a->words,
				      environ);
	posix_spawn_file_actions_destroy(&files);
	if (failed) {
		cli_hint(cli, "install python3 and its pip, or give --wheels DIR with wheels that "
			      "were fetched elsewhere");
		return err_set(e, ERR_PRECONDITION, "python3 -m pip: %s", strerror(failed));
	}
	if (wait_for(pid, &status, e) < 0)
		return err_code(e);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	tell(cli, pip->log, e);
	return err_code(e);
}

int pip_resolve(struct cli *cli, const struct pip *pip, const char *requirements, const char *lock,
		struct err *e)
{
	static const char *const command[] = { "install", "--dry-run", NULL };
	struct args a;

	begin(&a, pip, lock, command);
	add(&a, "--report");
	add(&a, lock);
	add(&a, "--requirement");
	add(&a, requirements);
	return run(cli, pip, &a, e);
}

int pip_download(struct cli *cli, const struct pip *pip, const char *lock, const char *dir,
		 struct err *e)
{
	static const char *const command[] = { "download", "--no-deps", "--require-hashes", NULL };
	struct args a;

	begin(&a, pip, "", command);
	add(&a, "--dest");
	add(&a, dir);
	add(&a, "--requirement");
	add(&a, lock);
	return run(cli, pip, &a, e);
}
