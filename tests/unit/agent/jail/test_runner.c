/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole runs: the attacker as `bin`, scripts with the machine's own python3, requirements met by
 * the machine, by wheels, by a package index on loopback.
 */
#include "agent/core/separation.h"
#include "agent/jail/runner.h"
#include "agent/jail/runner_files.h"
#include "agent/process/users.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/bundle/bundle.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <uv.h>

extern char **environ;

struct world {
	char top[64], algorithm[96], datasets[96], scratch[96], requirements[96], tree[96];
	uv_loop_t loop;
	struct runner *runner;
	struct jail_exit exit;
	int exits, results;
	char text[65536];
	size_t len;
	const char *stop_at;
	pid_t index;
	unsigned int port;
};

static const struct jail_limits small = {
	.memory = 1 << 30, .pids = 64, .results = 4 << 20, .scratch = 16 << 20
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), e);
}

static int enter(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->top, sizeof(w->top), "/tmp/test-runner-XXXXXX");
	if (!mkdtemp(w->top) || uv_loop_init(&w->loop) < 0)
		return -1;
	snprintf(w->algorithm, sizeof(w->algorithm), "%s/algorithm", w->top);
	snprintf(w->datasets, sizeof(w->datasets), "%s/datasets", w->top);
	snprintf(w->scratch, sizeof(w->scratch), "%s/scratch", w->top);
	snprintf(w->requirements, sizeof(w->requirements), "%s/requirements", w->top);
	snprintf(w->tree, sizeof(w->tree), "%s/tree", w->top);
	mkdir(w->datasets, 0700);
	mkdir(w->scratch, 0700);
	mkdir(w->tree, 0700);
	char sub[128];
	snprintf(sub, sizeof(sub), "%s/sub", w->datasets);
	mkdir(sub, 0700);
	write_file(sub, "rows.csv", "a,b\n1,2\n3,4\n"); /* 0600: the runner opens it up */
	w->results = -1;
	*state = w;
	return 0;
}

static int leave(void **state)
{
	struct world *w = *state;
	struct err e;

	if (w->index > 0) {
		kill(w->index, SIGKILL);
		waitpid(w->index, NULL, 0);
	}
	if (w->results >= 0)
		close(w->results);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&w->loop);
	if (dir_remove(w->top, &e) < 0)
		result = -1;
	free(w);
	return result;
}

static void on_line(void *data, int stream, const char *text, size_t len)
{
	struct world *w = data;

	if (w->len + len + 2 < sizeof(w->text)) {
		memcpy(w->text + w->len, text, len);
		w->len += len;
		w->text[w->len++] = '\n';
	}
	if (w->stop_at && strstr(w->text, w->stop_at))
		runner_stop(w->runner);
}

static void on_exit_(void *data, const struct jail_exit *exit, int results)
{
	struct world *w = data;

	w->exits++;
	w->exit = *exit;
	w->results = results;
	runner_free(w->runner); /* as the agent may do */
	w->runner = NULL;
}

static struct runner_spec spec_of(const struct world *w, enum runner_kind kind)
{
	return (struct runner_spec){ .kind = kind,
				     .algorithm = w->algorithm,
				     .datasets = w->datasets,
				     .scratch = w->scratch,
				     .limits = small };
}

static void start(struct world *w, const struct runner_spec *spec)
{
	const struct runner_callbacks callbacks = { .on_line = on_line,
						    .on_exit = on_exit_,
						    .data = w };
	struct err e;

	assert_ok(runner_start(&w->loop, spec, &callbacks, &w->runner, &e), e);
}

static void finish(struct world *w)
{
	while (w->exits == 0)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void run(struct world *w, const struct runner_spec *spec)
{
	start(w, spec);
	finish(w);
}

static void ended(const struct world *w, bool ok, const char *cause)
{
	if (w->exit.ok != ok || !strstr(w->exit.cause, cause))
		fail_msg("ended %s with '%s'\n%s", w->exit.ok ? "well" : "badly", w->exit.cause,
			 w->text);
	assert_int_equal(w->results >= 0, ok);
}

static void says(const struct world *w, const char *words)
{
	if (!strstr(w->text, words))
		fail_msg("'%s' is not in:\n%s", words, w->text);
}

/* The program ATTACKER, read before we are who may not enter the build folder. */
static uint8_t *attacker;
static size_t attacker_len;

static void copy_attacker(const struct world *w)
{
	struct err e;

	assert_ok(file_write(w->algorithm, attacker, attacker_len, 0600, &e), e);
}

static void script(const struct world *w, const char *text)
{
	write_file(w->top, "algorithm", text);
}

/* The tree of this test as the uploaded zip, or as a wheel somewhere. */
static void bundle_to(const struct world *w, const char *path)
{
	struct err e;
	CLEANUP(close) int dir = open(w->tree, O_RDONLY | O_DIRECTORY);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(dir >= 0 && fd >= 0);
	assert_ok(bundle_make(dir, fd, NULL, NULL, NULL, &e), e);
}

static void a_program_runs_with_its_arguments(void **state)
{
	struct world *w = *state;
	const char *const args[] = { "print", "datasets/sub/rows.csv", NULL };
	struct runner_spec spec = spec_of(w, RUNNER_BIN);

	copy_attacker(w);
	spec.args = args;
	run(w, &spec);
	ended(w, true, "finished");
	assert_string_equal(w->text, "a,b\n1,2\n3,4\n");
}

static void results_come_back_and_failed_ones_do_not(void **state)
{
	struct world *w = *state;
	const char *const args[] = { "results", NULL }, *const bad[] = { "exit", "4", NULL };
	struct runner_spec spec = spec_of(w, RUNNER_BIN);

	copy_attacker(w);
	spec.args = args;
	run(w, &spec);
	ended(w, true, "finished");
	assert_int_equal(faccessat(w->results, "sub/model", R_OK, 0), 0);
	close(w->results);
	w->exits = 0;
	spec.args = bad;
	run(w, &spec);
	ended(w, false, "exit code 4");
}

static void a_script_trains_on_its_data(void **state)
{
	struct world *w = *state;
	const char *const args[] = { "--rate", "0.5", NULL };
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	char model[64] = "";

	script(w, "import csv, json, os, sys\n"
		  "rows = list(csv.reader(open('datasets/sub/rows.csv')))\n"
		  "print('args', sys.argv[1:])\n"
		  "print('prefix', sys.prefix, sys.base_prefix)\n"
		  "print('cwd', os.getcwd(), 'uid', os.getuid(), 'cpus', os.cpu_count() > 0)\n"
		  "json.dump({'sum': sum(int(r[1]) for r in rows[1:])}, "
		  "open('results/model.json', 'w'))\n"
		  "print('done', file=sys.stderr)\n");
	spec.args = args;
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "args ['--rate', '0.5']\n");
	says(w, "prefix /venv /usr\n");
	says(w, "cwd /task uid 65534 cpus True\n");
	says(w, "done\n");
	CLEANUP(close) int fd = openat(w->results, "model.json", O_RDONLY);
	assert_true(read(fd, model, sizeof(model) - 1) > 0);
	assert_string_equal(model, "{\"sum\": 6}");
}

static void digest_of(const char *folder, uint8_t digest_[BUNDLE_DIGEST_LEN])
{
	CLEANUP(close) int dir = open(folder, O_RDONLY | O_DIRECTORY);
	struct err e;

	assert_ok(bundle_digest(dir, NULL, digest_, &e), e);
}

static void empty_scratch(const struct world *w)
{
	struct err e;

	assert_ok(dir_remove(w->scratch, &e), e);
	assert_int_equal(mkdir(w->scratch, 0700), 0);
}

/* As authors write them, who never heard of a sandbox. Where the kernel layers nothing it says so. */
static const char careless[] =
	"import csv, json, os, pickle, shutil, sys, zipfile\n"
	"try: open('datasets/probe', 'w').close(); os.remove('datasets/probe')\n"
	"except OSError: print('cannot'); sys.exit()\n"
	"with zipfile.ZipFile('datasets/h1.zip') as z: z.extractall('datasets/h1')\n"
	"os.remove('datasets/h1.zip')\n"
	"rows = sorted(csv.reader(open('datasets/sub/rows.csv')), reverse=True)\n"
	"csv.writer(open('datasets/sub/rows.csv', 'w')).writerows(rows)\n"
	"os.rename('datasets/sub/rows.csv', 'datasets/sub/sorted.csv')\n"
	"shutil.move('datasets/sub', 'datasets/train')\n"
	"os.makedirs('datasets/h1/.cache/deep')\n"
	"pickle.dump(rows, open('datasets/h1/.cache/deep/rows.pickle', 'wb'))\n"
	"shutil.copytree('datasets/h1', 'datasets/copy')\n"
	"shutil.rmtree('datasets/h1'); os.mkdir('datasets/h1')\n"
	"here = os.path.dirname(os.path.abspath(__file__))\n"
	"json.dump(rows, open(os.path.join(here, 'cache.json'), 'w'))\n"
	"open(__file__, 'a').write('# trained\\n')\n"
	"print(open(__file__).read().count('# trained' + chr(10)), sorted(os.listdir(here)))\n"
	"for top, folders, files in sorted(os.walk('datasets')): print(top, sorted(files))\n";

static void an_unchanged_script_unpacks_sorts_and_caches_beside_its_data(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	uint8_t before[BUNDLE_DIGEST_LEN], after[BUNDLE_DIGEST_LEN], sent[32], left[32];
	char path[256];
	struct err e;

	snprintf(path, sizeof(path), "%s/h1.zip", w->datasets);
	write_file(w->tree, "one.png", "not really");
	bundle_to(w, path);
	assert_ok(runner_files_give_tree(w->datasets, &e), e); /* the modes are in the digest */
	digest_of(w->datasets, before);
	script(w, careless);
	assert_ok(digest_file(DIGEST_SHA256, w->algorithm, sent, &e), e);
	/* the second run finds all as the first did */
	for (int i = 0; i < 2; i++) {
		w->len = (size_t)(w->exits = 0);
		memset(w->text, 0, sizeof(w->text));
		if (w->results >= 0)
			close(w->results);
		empty_scratch(w);
		run(w, &spec);
		ended(w, true, "finished");
		digest_of(w->datasets, after);
		assert_memory_equal(before, after, sizeof(before));
		assert_ok(digest_file(DIGEST_SHA256, w->algorithm, left, &e), e);
		assert_memory_equal(sent, left, sizeof(sent));
		if (strcmp(w->text, "cannot\n") == 0)
			skip();
		says(w, "1 ['cache.json', 'main.py']\n");
		says(w, "datasets []\ndatasets/copy ['one.png']\ndatasets/copy/.cache []\n"
			"datasets/copy/.cache/deep ['rows.pickle']\ndatasets/h1 []\n"
			"datasets/train ['sorted.csv']\n");
	}
}

static void what_does_not_fit_into_scratch_is_the_runs_own_trouble(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	script(w, "import errno, os\n"
		  "with open('datasets/copy', 'wb') as f:\n"
		  "    try:\n"
		  "        for i in range(64): f.write(bytes(1 << 20)); f.flush()\n"
		  "    except OSError as x: print(errno.errorcode[x.errno], i)\n");
	run(w, &spec);
	if (!strstr(w->text, "EROFS")) {
		ended(w, true, "finished");
		says(w, "ENOSPC 16\n");
	}
	empty_scratch(w);
	w->exits = 0;
	if (w->results >= 0)
		close(w->results);
	script(w, "import os\nprint(os.listdir('datasets'), 'next')\n");
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "['sub'] next\n");
}

/* Where torch, and others by their own rules, look before they download. */
static void a_cache_is_where_libraries_look(void **state)
{
	static const char *const folders[] = { "", "/torch", "/torch/hub",
					       "/torch/hub/checkpoints" };
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	uint8_t before[BUNDLE_DIGEST_LEN], after[BUNDLE_DIGEST_LEN];
	char cache[96], path[192];
	struct err e;

	snprintf(cache, sizeof(cache), "%s/cache", w->top);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s%s", cache, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	write_file(path, "resnet18-f37072fd.pth", "weights");
	assert_ok(runner_files_give_tree(cache, &e), e);
	digest_of(cache, before);
	script(w, "import os\n"
		  "e = os.environ\n"
		  "name = 'hub/checkpoints/resnet18-f37072fd.pth'\n"
		  "print(open(os.path.join(e['TORCH_HOME'], name)).read())\n"
		  "print(open(os.path.expanduser('~/.cache/torch/') + name).read())\n"
		  "print(open(os.path.join(e['XDG_CACHE_HOME'], 'torch', name)).read())\n"
		  "print(os.listdir('datasets'))\n"
		  "for v in ('XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'TORCH_HOME',\n"
		  "          'HF_HOME', 'KERAS_HOME', 'MPLCONFIGDIR', 'NLTK_DATA',\n"
		  "          'NUMBA_CACHE_DIR', 'SCIKIT_LEARN_DATA', 'HOME', 'TMPDIR'):\n"
		  "    try:\n"
		  "        os.makedirs(e[v], exist_ok=True)\n"
		  "        open(os.path.join(e[v], 'x'), 'w').close()\n"
		  "    except OSError as x: print(v, x.errno)\n"
		  "print('all')\n");
	spec.cache = cache;
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "weights\nweights\nweights\n['sub']\n");
	if (!strstr(w->text, "XDG_CACHE_HOME 30"))
		says(w, "['sub']\nall\n");
	digest_of(cache, after);
	assert_memory_equal(before, after, sizeof(before));
}

/* What numeric Python leans on: threads, processes, shared memory, subprocesses, ctypes. */
static void pythons_own_tools_work(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	script(w,
	       "import concurrent.futures as cf, ctypes, mmap, multiprocessing as mp, os, "
	       "sqlite3, subprocess, sys, tempfile, threading, asyncio, hashlib, random\n"
	       "from multiprocessing import shared_memory\n"
	       "def square(x): return x * x\n"
	       "if __name__ == '__main__':\n"
	       "    for how in ('fork', 'spawn', 'forkserver'):\n"
	       "        with mp.get_context(how).Pool(2) as p:\n"
	       "            assert p.map(square, range(5)) == [0, 1, 4, 9, 16]\n"
	       "    with cf.ThreadPoolExecutor(4) as t:\n"
	       "        assert sum(t.map(square, range(4))) == 14\n"
	       "    with cf.ProcessPoolExecutor(2) as t:\n"
	       "        assert sum(t.map(square, range(4))) == 14\n"
	       "    s = shared_memory.SharedMemory(create=True, size=4096)\n"
	       "    s.buf[0] = 7; s.close(); s.unlink()\n"
	       "    assert mp.Lock().acquire()\n"
	       "    out = subprocess.run([sys.executable, '-c', 'print(6*7)'], "
	       "capture_output=True, text=True)\n"
	       "    assert out.stdout == '42\\n', out\n"
	       "    assert ctypes.CDLL(None).getpid() == os.getpid()\n"
	       "    async def a():\n"
	       "        p = await asyncio.create_subprocess_exec(sys.executable, '-c', 'pass')\n"
	       "        return await p.wait()\n"
	       "    assert asyncio.run(a()) == 0\n"
	       "    with tempfile.TemporaryDirectory() as d:\n"
	       "        c = sqlite3.connect(d + '/x.db'); c.execute('create table t(a)'); "
	       "c.commit(); c.close()\n"
	       "        os.replace(d + '/x.db', 'results/x.db') if "
	       "os.stat(d).st_dev == os.stat('results').st_dev else None\n"
	       "    m = mmap.mmap(-1, 4096); m[0] = 1; m.close()\n"
	       "    print(os.path.expanduser('~'), hashlib.sha3_256(os.urandom(8)).digest_size)\n"
	       "    print('all well')\n");
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "/home 32\n");
	says(w, "all well\n");
}

static void a_script_sees_no_network_and_no_agent(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	script(w, "import os, socket\n"
		  "for f in (lambda: socket.create_connection(('127.0.0.1', 22), 2),\n"
		  "          lambda: socket.getaddrinfo('example.com', 80),\n"
		  "          lambda: os.listdir('/root'), lambda: os.listdir('/etc/cocos'),\n"
		  "          lambda: open('/proc/1/environ'), lambda: os.listdir('/sys')):\n"
		  "    try: print('worked', f())\n"
		  "    except OSError as e: print('refused')\n"
		  "print(sorted(os.listdir('/')))\n");
	run(w, &spec);
	ended(w, true, "finished");
	assert_null(strstr(w->text, "worked"));
	assert_null(strstr(w->text, "root"));
	says(w, "refused\nrefused\nrefused\nrefused\nrefused\nrefused\n");
}

static void an_exception_is_told(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	script(w, "raise ValueError('no rows')\n");
	run(w, &spec);
	ended(w, false, "exit code 1");
	says(w, "ValueError: no rows");
}

static void a_zip_brings_script_modules_and_wheels(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	char path[256];

	/* the wheel */
	snprintf(path, sizeof(path), "%s/greeting", w->tree);
	mkdir(path, 0755);
	write_file(path, "__init__.py", "WORD = 'hello from the wheel'\n");
	snprintf(path, sizeof(path), "%s/greeting-1.2.dist-info", w->tree);
	mkdir(path, 0755);
	write_file(path, "METADATA", "Name: greeting\nVersion: 1.2\n");
	snprintf(path, sizeof(path), "%s/greeting-1.2.data", w->tree);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/greeting-1.2.data/purelib", w->tree);
	mkdir(path, 0755);
	write_file(path, "spread.py", "WORD = 'spread'\n");
	snprintf(path, sizeof(path), "%s/wheel", w->top);
	bundle_to(w, path);
	struct err e;
	assert_ok(dir_remove(w->tree, &e), e);

	mkdir(w->tree, 0700);
	char wheels[256], wheel[320];
	snprintf(wheels, sizeof(wheels), "%s/wheels", w->tree);
	mkdir(wheels, 0700);
	snprintf(wheel, sizeof(wheel), "%s/greeting-1.2-py3-none-any.whl", wheels);
	assert_int_equal(rename(path, wheel), 0);
	write_file(w->tree, "helper.py", "def shout(x): return x.upper()\n");
	write_file(w->tree, "main.py",
		   "import greeting, helper, spread\n"
		   "print(helper.shout(greeting.WORD), spread.WORD, greeting.__file__)\n");
	bundle_to(w, w->algorithm);
	write_file(w->top, "requirements", "greeting>=1.1,<2\n");
	spec.requirements = w->requirements;
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "HELLO FROM THE WHEEL spread /venv/lib/python3.");
}

static void a_zip_without_one_script_is_refused(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	write_file(w->tree, "a.py", "print(1)\n");
	write_file(w->tree, "b.py", "print(2)\n");
	bundle_to(w, w->algorithm);
	run(w, &spec);
	ended(w, false, "2 scripts at the top and none is main.py");
	assert_false(w->exit.started);
}

static void wheels_for_another_machine_are_refused(void **state)
{
	static const struct {
		const char *name, *words;
	} bad[] = {
		{ "x-1.0-cp27-cp27m-linux_x86_64.whl", "not for this image's Python" },
		{ "x-1.0-py3-none-win_amd64.whl", "not for this image's Python" },
		{ "x-1.0-py3-none-musllinux_1_1_x86_64.whl", "not for this image's Python" },
		{ "x-1.0-py2-none-any.whl", "not for this image's Python" },
		{ "x-1.0.whl", "not named as a wheel" },
		{ "x-1.0-1-2-py3-none-any.whl", "not named as a wheel" },
		{ "x.tar.gz", "not named as a wheel" },
		{ "x-1.0-py3-none-any.whl", "not a usable zip" },
	};
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char wheels[256];

		assert_ok(dir_remove(w->tree, &e), e);
		assert_ok(dir_remove(w->scratch, &e), e);
		mkdir(w->tree, 0700);
		mkdir(w->scratch, 0700);
		snprintf(wheels, sizeof(wheels), "%s/wheels", w->tree);
		mkdir(wheels, 0700);
		write_file(wheels, bad[i].name, "not a zip");
		write_file(w->tree, "main.py", "print(1)\n");
		bundle_to(w, w->algorithm);
		w->exits = 0;
		run(w, &spec);
		ended(w, false, bad[i].words);
	}
}

static void what_the_machine_has_is_enough(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	/* what the other tests need too */
	script(w, "import cbor2\nprint('there', cbor2.__file__)\n");
	write_file(w->top, "requirements", "cbor2>=5\n");
	spec.requirements = w->requirements;
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "there /usr/lib/python3/dist-packages/");
}

static void what_is_missing_is_listed(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);

	script(w, "print('must not run')\n");
	write_file(w->top, "requirements", "no-such-package==1.0\ncbor2>=9999\nnor_this\n");
	spec.requirements = w->requirements;
	run(w, &spec);
	ended(w, false, "missing here: no-such-package==1.0, cbor2>=9999 (there is ");
	ended(w, false, ", nor_this: send their wheels, as cocos-cli algo -r does");
	assert_string_equal(w->text, "");
	assert_false(w->exit.started);

	/* an index does not help when not every line has its hash */
	struct err e;
	assert_ok(dir_remove(w->scratch, &e), e);
	mkdir(w->scratch, 0700);
	w->exits = 0;
	spec.pip_index_url = "http://127.0.0.1:9/simple";
	run(w, &spec);
	ended(w, false, "the index is asked only if every such line has --hash");
}

/* A package index of one package: python3's own web server over a folder. */
static void serve_index(struct world *w, bool wrong_hash, char *line, size_t size)
{
	char path[256], text[512], hex[65];
	uint8_t digest_[32];
	struct err e;

	snprintf(path, sizeof(path), "%s/indexed.py", w->tree);
	write_file(w->tree, "indexed.py", "WORD = 'from the index'\n");
	snprintf(path, sizeof(path), "%s/indexed-2.0.dist-info", w->tree);
	mkdir(path, 0755);
	write_file(path, "METADATA", "Metadata-Version: 2.1\nName: indexed\nVersion: 2.0\n");
	write_file(path, "WHEEL",
		   "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
	write_file(path, "RECORD",
		   "indexed.py,,\nindexed-2.0.dist-info/METADATA,,\n"
		   "indexed-2.0.dist-info/WHEEL,,\nindexed-2.0.dist-info/RECORD,,\n");
	snprintf(path, sizeof(path), "%s/web", w->top);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/web/indexed", w->top);
	mkdir(path, 0755);
	write_file(path, "index.html",
		   "<a href=\"indexed-2.0-py3-none-any.whl\">"
		   "indexed-2.0-py3-none-any.whl</a>");
	snprintf(path, sizeof(path), "%s/web/indexed/indexed-2.0-py3-none-any.whl", w->top);
	bundle_to(w, path);
	assert_ok(digest_file(DIGEST_SHA256, path, digest_, &e), e);
	digest_[0] ^= wrong_hash;
	hex_encode(digest_, 32, hex);
	snprintf(line, size, "indexed==2.0 --hash=sha256:%s\n", hex);

	/* on a port of its own choice, which it writes down */
	snprintf(text, sizeof(text),
		 "import http.server as h, os, functools\n"
		 "s = h.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial("
		 "h.SimpleHTTPRequestHandler, directory='%s/web'))\n"
		 "open('%s/port.new', 'w').write(str(s.server_port))\n"
		 "os.rename('%s/port.new', '%s/port')\n"
		 "s.serve_forever()\n",
		 w->top, w->top, w->top, w->top);
	char *argv[] = { (char *)"/usr/bin/python3", (char *)"-c", text, NULL };
	posix_spawn_file_actions_t quiet;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&w->index, argv[0], &quiet, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&quiet);
	snprintf(path, sizeof(path), "%s/port", w->top);
	char *port = NULL;
	for (int i = 0; i < 18000 && file_read_text(path, 16, &port, &e) < 0; i++)
		usleep(10000);
	assert_non_null(port);
	w->port = (unsigned int)strtoul(port, NULL, 10);
	free(port);
}

static void with_hashes_the_index_is_asked(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	char line[256], url[64];

	serve_index(w, false, line, sizeof(line));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", w->port);
	script(w, "import indexed, socket\n"
		  "print(indexed.WORD, indexed.__file__)\n"
		  "try: socket.create_connection(('127.0.0.1', 1))\n"
		  "except OSError as e: print('no network:', type(e).__name__)\n"
		  "try: open('/venv/lib/x', 'w')\n"
		  "except OSError as e: print('not writable')\n");
	write_file(w->top, "requirements", line);
	spec.requirements = w->requirements;
	spec.pip_index_url = url;
	run(w, &spec);
	ended(w, true, "finished");
	says(w, "from the index /venv/lib/python3.");
	says(w, "no network: ");
	says(w, "not writable");
}

static void what_does_not_match_its_hash_is_not_run(void **state)
{
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	char line[256], url[64];

	serve_index(w, true, line, sizeof(line));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", w->port);
	script(w, "print('must not run')\n");
	write_file(w->top, "requirements", line);
	spec.requirements = w->requirements;
	spec.pip_index_url = url;
	run(w, &spec);
	ended(w, false, "requirements: pip: exit code 1");
	assert_null(strstr(w->text, "must not run"));
	assert_false(w->exit.started);
}

static void an_index_that_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "file:///etc", "--trusted-host=x", "http://a b", "x" };
	struct world *w = *state;
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	struct err e;

	script(w, "print(1)\n");
	write_file(w->top, "requirements",
		   "nope==1 --hash=sha256:"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n");
	spec.requirements = w->requirements;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_ok(dir_remove(w->scratch, &e), e);
		mkdir(w->scratch, 0700);
		w->exits = 0;
		spec.pip_index_url = bad[i];
		run(w, &spec);
		ended(w, false, "is no http or https address");
	}
}

static void only_plain_runtimes_are_taken(void **state)
{
	static const char *const bad[] = { "bash",         "/bin/sh",   "../python3",
					   "python",       "python3.",  "python3.x",
					   "python3 ",     "python2.7", "python3.11-config",
					   "python3.99999" };
	struct world *w = *state;
	const struct runner_callbacks callbacks = { .on_line = on_line,
						    .on_exit = on_exit_,
						    .data = w };
	struct runner_spec spec = spec_of(w, RUNNER_PYTHON);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		spec.python_runtime = bad[i];
		assert_refused(runner_start(&w->loop, &spec, &callbacks, &w->runner, &e), e,
			       ERR_INVALID, "use python3 or python3.N");
	}
	assert_int_equal(w->exits, 0);
	script(w, "print('ran')\n");
	spec.python_runtime = "python3.77";
	run(w, &spec);
	ended(w, false, "has no /usr/bin/python3.77");
}

static void kinds_are_known_or_refused(void **state)
{
	enum runner_kind kind;
	struct err e;

	assert_ok(runner_spec_kind("", &kind, &e), e);
	assert_int_equal(kind, RUNNER_BIN);
	assert_ok(runner_spec_kind(NULL, &kind, &e), e);
	assert_ok(runner_spec_kind("python", &kind, &e), e);
	assert_int_equal(kind, RUNNER_PYTHON);
	assert_refused(runner_spec_kind("wasm", &kind, &e), e, ERR_UNIMPLEMENTED, "wasm");
	assert_ok(runner_spec_kind("docker", &kind, &e), e);
	assert_int_equal(kind, RUNNER_DOCKER);
	assert_refused(runner_spec_kind("Bin", &kind, &e), e, ERR_INVALID, "Bin");
}

static void arguments_at_their_limits(void **state)
{
	struct world *w = *state;
	const struct runner_callbacks callbacks = { .on_line = on_line,
						    .on_exit = on_exit_,
						    .data = w };
	const char *args[RUNNER_ARGS_MAX + 2] = { "exit", "0" };
	struct runner_spec spec = spec_of(w, RUNNER_BIN);
	char *long_one = calloc(1, RUNNER_ARGS_BYTES_MAX + 1);
	struct err e;

	copy_attacker(w);
	spec.args = args;
	for (size_t i = 2; i < RUNNER_ARGS_MAX; i++)
		args[i] = "x";
	run(w, &spec);
	ended(w, true, "finished");
	close(w->results);
	w->results = -1;
	args[RUNNER_ARGS_MAX] = "x";
	assert_refused(runner_start(&w->loop, &spec, &callbacks, &w->runner, &e), e, ERR_EXHAUSTED,
		       "arguments");

	args[2] = long_one; /* "exit", "0" and this one, each with its zero */
	args[3] = NULL;
	memset(long_one, 'y', RUNNER_ARGS_BYTES_MAX - 5 - 2 - 1);
	w->exits = 0;
	run(w, &spec);
	ended(w, true, "finished");
	long_one[RUNNER_ARGS_BYTES_MAX - 5 - 2 - 1] = 'y';
	assert_refused(runner_start(&w->loop, &spec, &callbacks, &w->runner, &e), e, ERR_EXHAUSTED,
		       "arguments");
	free(long_one);
}

static void a_stop_ends_it_wherever_it_is(void **state)
{
	struct world *w = *state;
	const char *const args[] = { "sleep", NULL };
	struct runner_spec spec = spec_of(w, RUNNER_BIN);

	copy_attacker(w);
	spec.args = args;
	start(w, &spec);
	runner_stop(w->runner); /* while it prepares */
	finish(w);
	ended(w, false, "stopped");
	assert_true(w->exit.stopped);

	w->exits = 0;
	w->stop_at = "sleeping"; /* while it runs */
	run(w, &spec);
	ended(w, false, "stopped");

	w->exits = 0; /* freed: nobody is called */
	start(w, &spec);
	runner_free(w->runner);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->exits, 0);
}

static void a_link_among_the_data_is_refused(void **state)
{
	struct world *w = *state;
	const char *const args[] = { "hello", NULL };
	struct runner_spec spec = spec_of(w, RUNNER_BIN);
	char path[128];

	copy_attacker(w);
	spec.args = args;
	snprintf(path, sizeof(path), "%s/link", w->datasets);
	assert_int_equal(symlink("/etc/shadow", path), 0);
	run(w, &spec);
	ended(w, false, "datasets: 'link' is no file");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "jail") == 0)
		return jail_main(argc, argv);

	struct err e;

	if (file_read(ATTACKER, 16 << 20, &attacker, &attacker_len, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	if (argc > 1 && strcmp(argv[1], "--as-user") == 0 && geteuid() == 0) {
		if (setresgid(54321, 54321, 54321) < 0 || setresuid(54321, 54321, 54321) < 0)
			return 1;
		prctl(PR_SET_DUMPABLE, 1); /* else our /proc/self is root's */
	}
	if (argc > 1 && strcmp(argv[1], "--as-agent") == 0) {
		if (geteuid() != 0) {
			puts("1..0 # SKIP needs root");
			return 0;
		}
		assert_ok(users_enter(separation_rights, &e), e);
		prctl(PR_SET_DUMPABLE, 1);
	}
	umask(077); /* the agent's may be so: nothing may depend on it */

	const struct CMUnitTest tests[] = {
		ROW(a_program_runs_with_its_arguments),
		ROW(results_come_back_and_failed_ones_do_not),
		ROW(a_script_trains_on_its_data),
		ROW(an_unchanged_script_unpacks_sorts_and_caches_beside_its_data),
		ROW(what_does_not_fit_into_scratch_is_the_runs_own_trouble),
		ROW(a_cache_is_where_libraries_look),
		ROW(pythons_own_tools_work),
		ROW(a_script_sees_no_network_and_no_agent),
		ROW(an_exception_is_told),
		ROW(a_zip_brings_script_modules_and_wheels),
		ROW(a_zip_without_one_script_is_refused),
		ROW(wheels_for_another_machine_are_refused),
		ROW(what_the_machine_has_is_enough),
		ROW(what_is_missing_is_listed),
		ROW(with_hashes_the_index_is_asked),
		ROW(what_does_not_match_its_hash_is_not_run),
		ROW(an_index_that_is_no_address_is_refused),
		ROW(only_plain_runtimes_are_taken),
		ROW(kinds_are_known_or_refused),
		ROW(arguments_at_their_limits),
		ROW(a_stop_ends_it_wherever_it_is),
		ROW(a_link_among_the_data_is_refused),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(attacker);
	return failed;
}
