/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/waiting.h"

#include "cli/base/interrupt.h"
#include "cli/base/text.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int waiting_limit(const struct cli *cli, uint64_t *limit_ms, struct err *e)
{
	const char *text = cli_value(cli, "wait");

	*limit_ms = cli_flag(cli, "wait") ? WAITING_DEFAULT_MS : 0;
	if (!text)
		return 0;
	if (duration_parse(text, limit_ms, e) < 0)
		return err_wrap(e, "--wait");
	if (*limit_ms < WAITING_MIN_MS || *limit_ms > WAITING_MAX_MS)
		return err_set(e, ERR_INVALID, "--wait=%s: give 1s to 720h", log_quote(text).text);
	return 0;
}

/* Is nobody there yet, or is the one that answered busy or gone? One that speaks something else, or does
 * not prove itself, is not what was waited for, and does not become so. */
static bool may_come(const struct client *client, const struct err *e)
{
	const struct rpc_attempt *attempt = rpc_channel_attempt(client->channel);

	if (ferror(client->cli->out))
		return false;
	if (e->code == ERR_DEADLINE || e->code == ERR_EXHAUSTED)
		return true;
	if (e->code != ERR_UNAVAILABLE)
		return false;
	if (client->socket && access(client->socket, W_OK) < 0 && errno == EACCES)
		return false;
	return !attempt->failed || attempt->contact == RPC_CONTACT_SILENT;
}

static void tell(struct waiting *w, const char *why)
{
	char limit[DURATION_TEXT_MAX], since[16] = "?", moment[32];
	time_t seconds = (time_t)(w->since / 1000);
	struct tm local;

	if (strcmp(w->why, why) == 0)
		return;
	snprintf(w->why, sizeof(w->why), "%s", why);
	if (!*why)
		return;
	if (localtime_r(&seconds, &local))
		strftime(since, sizeof(since), "%H:%M:%S", &local);
	duration_text(w->limit_ms, limit);
	snprintf(moment, sizeof(moment), "since %s", since);
	fprintf(stderr, "waiting %s, at most %s, until %s: %s\n", moment, limit, w->until,
		text_plain(why).text);
}

static void on_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

/* The connection lives meanwhile: pings are answered. */
static void rest(struct client *client, uint64_t ms)
{
	uv_timer_t timer;

	uv_timer_init(client->loop, &timer);
	uv_update_time(client->loop);
	uv_timer_start(&timer, on_timer, ms, 0);
	while (!uv_is_closing((uv_handle_t *)&timer))
		uv_run(client->loop, UV_RUN_ONCE);
	uv_run(client->loop, UV_RUN_NOWAIT); /* the close itself */
}

/* Is there a remedy that was seen too often in a row? A new one is told. */
static bool is_stuck(struct waiting *w, const struct err *e)
{
	struct cli *cli = w->client->cli;

	cli->hint[0] = 0;
	if (e->code != ERR_UNAVAILABLE || rpc_channel_is_ready(w->client->channel) ||
	    !client_hint_contact(w->client, e)) {
		w->same = 0;
		return false;
	}
	if (strcmp(w->remedy, cli->hint) != 0) {
		fprintf(stderr, "hint: %s\n", cli->hint);
		memcpy(w->remedy, cli->hint, sizeof(w->remedy));
		w->same = 0;
	}
	return ++w->same == WAITING_SAME_MAX;
}

static int is_over(struct waiting *w, struct err *e)
{
	char limit[DURATION_TEXT_MAX];

	duration_text(w->limit_ms, limit);
	cli_hint(w->client->cli, "%s",
		 w->same ? w->remedy
			 : "--wait=DURATION says how long it may take; nothing has changed");
	return err_set(e, ERR_DEADLINE, "waited %s until %s: %s", limit, w->until, w->why);
}

static int look_until(struct waiting *w, struct err *e)
{
	const uint64_t start = uv_hrtime() / 1000000;
	uint64_t pause = WAITING_POLL_FIRST_MS;

	for (;;) {
		char why[WAITING_WHY_MAX] = "", last[WAITING_WHY_MAX];
		int found = w->look(w->data, why, e);
		uint64_t passed = uv_hrtime() / 1000000 - start;

		if (found > 0)
			return 0;
		if (found < 0 && !may_come(w->client, e))
			return err_code(e);
		if (found < 0 && is_stuck(w, e))
			return err_wrap(e, "%u times in a row", w->same);
		if (found == 0)
			w->same = 0;
		w->client->cli->hint[0] = 0; /* of what is not the end of it */
		if (found < 0)
			snprintf(why, sizeof(why), "it does not answer yet (%.200s)", e->text);
		memcpy(last, w->why, sizeof(last));
		tell(w, why);
		if (passed >= w->limit_ms)
			return is_over(w, e);
		if (strcmp(last, w->why) != 0)
			pause = WAITING_POLL_FIRST_MS;
		if (pause > w->limit_ms - passed)
			pause = w->limit_ms - passed;
		rest(w->client, pause);
		pause = 2 * pause < WAITING_POLL_MAX_MS ? 2 * pause : WAITING_POLL_MAX_MS;
	}
}

int waiting_run(struct waiting *w, struct err *e)
{
	int failed;

	if (cli_option_of(w->client->cli->command, "wait") &&
	    waiting_limit(w->client->cli, &w->limit_ms, e) < 0)
		return err_code(e);
	if (!w->limit_ms && !w->always)
		return 0;
	if (!w->limit_ms)
		w->limit_ms = WAITING_DEFAULT_MS;
	w->since = (int64_t)clock_ms(CLOCK_REALTIME);
	interrupt_say("stopped waiting until %s: %s; %s", w->until, w->kept,
		      w->again ? w->again : "the same command waits again");
	failed = look_until(w, e);
	interrupt_clear();
	return failed;
}
