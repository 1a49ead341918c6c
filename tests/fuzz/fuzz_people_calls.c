/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of administrators and users to the computation service, with tokens good and bad, in any order, over a
 * store in memory. Input: commands, as orders_people.h has them.
 *
 * Whoever shows a token gets nothing that his user and its scope are not for, nor anything of a workspace that his
 * user is not in or is suspended in; a computation that has had an owner keeps one, who is in its workspace; a token
 * is in no answer but the one that it was made by.
 */
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/protobuf/protobuf.h"
#include "common/rpc/conn.h"
#include "computations.pb-c.h"
#include "computations/core/admin_access.h"
#include "computations/core/judge_line.h"
#include "computations/core/password_line.h"
#include "computations/core/service.h"
#include "computations/people/action.h"
#include "computations/people/asset.h"
#include "computations/people/device.h"
#include "computations/people/factor.h"
#include "computations/people/invitation.h"
#include "computations/people/role.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_confirm.h"
#include "computations_paths.h"
#include "people.pb-c.h"
#include "people_paths.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/fuzz/orders_people.h"
#include "tests/fuzz/store_memory.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 96, KEPT = 3, HEADER_MAX = 96 };

static const char *const names[ORDER_NAMES] = {
	[NAME_ANNA] = "anna",      [NAME_BERT] = "bert",
	[NAME_EMPTY] = "",         [NAME_OWNER] = "owner",
	[NAME_VIEWER] = "viewer",  [NAME_OWN] = "lab",
	[NAME_BAD] = "\xc3\xbc/",  [NAME_PROVIDER] = "algo_provider",
	[NAME_DEFAULT] = "default"
};
static const char *const ids[ORDER_IDS] = { "one", "two", "" };

static uv_loop_t loop;
static struct store store;
static struct store_queue *queue;
static struct service service;
static struct rpc_server *server;
static struct grpc_peer *peer;

static char tokens[KEPT][TOKEN_TEXT_LEN + 1];
static unsigned made; /* tokens */
/* Of what is asked for now the answer has one: such a message, with the token in its first member. */
static const ProtobufCMessageDescriptor *makes_token;
static char login[DEVICE_TEXT_LEN + 1], code[DEVICE_CODE_TEXT_LEN + 1];
static char invitation[INVITATION_TEXT_LEN + 1];
static bool owned[ORDER_IDS];
/* The second factor that was begun last, the recovery codes that were made last, and the page's clock. */
static uint8_t totp[TOTP_SECRET_LEN];
static struct factor_recovery recovery;
static int64_t page_now;
static uint8_t *spki;
static size_t spki_len;
/* Who asks for usage now: 0 nobody, or nobody who would see less than all. */
static int64_t asks_for_usage;

/* Two keys, and what was given out for one of them last. */
static struct {
	EVP_PKEY *key;
	uint8_t *spki, fingerprint[KEY_FINGERPRINT_LEN];
	size_t len;
} keys[2];
static bool asks_for_challenge; /* what is asked for now does */
static uint8_t challenge[POSSESSION_CHALLENGE_LEN], service_key[KEY_FINGERPRINT_LEN];

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void prepare(void)
{
	static const uint8_t secret[32] = { 9 };
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	assert(uv_loop_init(&loop) == 0);
	assert(key && key_to_spki(key, &spki, &spki_len, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const uint8_t other[32] = { 10, (uint8_t)i };

		keys[i].key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, other, 32);
		assert(keys[i].key &&
		       key_to_spki(keys[i].key, &keys[i].spki, &keys[i].len, &e) == 0 &&
		       key_fingerprint(keys[i].spki, keys[i].len, keys[i].fingerprint, &e) == 0);
	}
	loop.data = &service;
}

static void take_challenge(const uint8_t *bytes, size_t len)
{
	const People__KeyChallenge *c;
	ProtobufCMessage *m;
	struct err e;

	assert(protobuf_unpack(&people__key_challenge__descriptor, bytes, len, &m, &e) == 0);
	c = (const People__KeyChallenge *)m;
	assert(c->challenge.len == sizeof(challenge) && c->service.len == sizeof(service_key));
	memcpy(challenge, c->challenge.data, sizeof(challenge));
	memcpy(service_key, c->service.data, sizeof(service_key));
	protobuf_c_message_free_unpacked(m, NULL);
}

/* Of workspaces that who asks is in, and of others' computations no name. */
static void check_usage(const uint8_t *bytes, size_t len)
{
	const Computations__UsageResponse *answer;
	ProtobufCMessage *m;
	struct err e;

	assert(protobuf_unpack(&computations__usage_response__descriptor, bytes, len, &m, &e) == 0);
	answer = (const Computations__UsageResponse *)m;
	for (size_t i = 0; i < answer->n_rows; i++) {
		const Computations__Usage *row = answer->rows[i];
		int64_t in, sees;

		assert(db_number(&store.db, &in, &e,
				 "SELECT count(*) FROM workspace_members m JOIN workspaces w"
				 " ON w.number = m.workspace WHERE w.name = ? AND m.person = ?"
				 " AND m.suspended = 0",
				 "ti", row->workspace, asks_for_usage) == 0);
		assert(db_number(
			       &store.db, &sees, &e,
			       "SELECT (SELECT count(*) FROM workspace_members m JOIN workspaces w"
			       " ON w.number = m.workspace WHERE w.name = ?1 AND m.person = ?2"
			       " AND m.role = 'administrator') + (SELECT count(*) FROM role_members"
			       " WHERE computation = ?3 AND person = ?2)",
			       "tit", row->workspace, asks_for_usage, row->computation) == 0);
		assert(in && (sees || !*row->computation));
	}
	protobuf_c_message_free_unpacked(m, NULL);
}

static void on_answer(void *data, unsigned number, const uint8_t *bytes, size_t len)
{
	ProtobufCMessage *m;
	struct err e;

	store_memory_fails = 0; /* it is answered */
	if (!makes_token) {
		assert(!memmem(bytes, len, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1));
		if (asks_for_challenge)
			take_challenge(bytes, len);
		if (asks_for_usage)
			check_usage(bytes, len);
		return;
	}
	assert(protobuf_unpack(makes_token, bytes, len, &m, &e) == 0);
	snprintf(tokens[made++ % KEPT], sizeof(tokens[0]), "%s",
		 makes_token == &people__new_token__descriptor ? ((People__NewToken *)m)->token
							       : ((People__LoginToken *)m)->token);
	protobuf_c_message_free_unpacked(m, NULL);
}

/* Over a unix socket the caller is the socket's user; this is as if from another machine. */
static void connect_tcp(int ends[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = socket(AF_INET, SOCK_STREAM, 0);
	const int at_once = 1; /* and not when the peer's delayed acknowledgement has come */
	socklen_t len = sizeof(at);

	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert(on >= 0 && ends[1] >= 0);
	assert(bind(on, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(on, 1) == 0);
	assert(getsockname(on, (struct sockaddr *)&at, &len) == 0);
	assert(connect(ends[1], (struct sockaddr *)&at, sizeof(at)) == 0);
	ends[0] = accept4(on, NULL, NULL, SOCK_NONBLOCK);
	assert(ends[0] >= 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
	for (int i = 0; i < 2; i++)
		assert(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)) ==
		       0);
	close(on);
}

static void connect_again(void)
{
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	grpc_peer_free(peer);
	if (service.sign_in)
		connect_tcp(ends);
	else
		assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	peer = grpc_peer_new(&loop, ends[1], on_answer, NULL);
}

static void enter(bool sign_in)
{
	static const struct store_limits limits = {
		.computations = 3, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
	};
	struct err e;

	store_memory_open(&store, &limits);
	assert(store_queue_new(&loop, &store, &queue, &e) == 0);
	service_init(&service, &loop, queue, limits.cvms);
	assert(password_line_new(&loop, &service.passwords, &e) == 0);
	assert(judge_line_new(&loop, &service.judges, &e) == 0);
	service.sign_in = sign_in;
	assert(rpc_server_new(&loop, NULL, &server, &e) == 0);
	assert(rpc_server_add(server, &admin_rpc, &service, &e) == 0);
	assert(rpc_server_add(server, &people_rpc, &service, &e) == 0);
	memset(tokens, 0, sizeof(tokens));
	memset(owned, 0, sizeof(owned));
	memset(challenge, 0, sizeof(challenge));
	memset(totp, 0, sizeof(totp));
	memset(&recovery, 0, sizeof(recovery));
	page_now = INT64_C(1) << 40;
	login[0] = code[0] = invitation[0] = 0;
	made = 0;
	peer = NULL;
	connect_again();
}

static void leave(void)
{
	logs_end_all(&service);
	grpc_peer_settle(&loop);
	grpc_peer_free(TAKE_PTR(peer));
	rpc_server_free(server);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		continue;
	assert(service.follower_count == 0);
	password_line_free(service.passwords);
	judge_line_free(service.judges);
	store_queue_free(queue);
}

/* ---- what is asked ---- */

struct command {
	enum order what;
	enum order_token token;
	const char *name, *other, *id;
	size_t id_number;
	uint8_t operand;
	unsigned fails; /* the statement of the call that does, 0: none */
};

static struct command command_read(struct reader *r)
{
	struct command c = { .what = reader_u8(r) % ORDERS };
	uint8_t how;

	how = reader_u8(r);
	c.token = (how & ORDER_TOKEN) % ORDER_TOKENS;
	c.fails = how >> ORDER_FAILS_SHIFT;
	c.name = names[reader_u8(r) % ORDER_NAMES];
	c.other = names[reader_u8(r) % ORDER_NAMES];
	c.id_number = reader_u8(r) % ORDER_IDS;
	c.id = ids[c.id_number];
	c.operand = reader_u8(r);
	return c;
}

/* False: there is none in that place. */
static bool header_of(const struct command *c, char header[HEADER_MAX])
{
	switch (c->token) {
	case TOKEN_NONE:
		return false;
	case TOKEN_WRONG:
		snprintf(header, HEADER_MAX, "Bearer %s%064d", TOKEN_PREFIX, 7);
		return true;
	case TOKEN_MALFORMED:
		snprintf(header, HEADER_MAX, "Bearer cocos_");
		return true;
	case TOKEN_OTHER_SCHEME:
		snprintf(header, HEADER_MAX, "Basic eA==");
		return true;
	default:
		snprintf(header, HEADER_MAX, "Bearer %s",
			 *tokens[c->token - TOKEN_A] ? tokens[c->token - TOKEN_A] : "-");
		return true;
	}
}

/* gRPC's status, or -1 while it goes on. */
static int ask(const struct command *c, const char *path, const ProtobufCMessage *request)
{
	char header[HEADER_MAX] = "";
	struct grpc_word word = { "authorization", header, 0 };
	bool shows = header_of(c, header);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;
	int call;

	word.len = strlen(header);
	call = grpc_peer_call(peer, path, &word, shows);
	if (call < 0) {
		connect_again();
		call = grpc_peer_call(peer, path, &word, shows);
	}
	assert(call >= 0 && protobuf_pack(request, &bytes, &len, &e) == 0);
	grpc_peer_say(peer, (unsigned)call, bytes, len, false);
	grpc_peer_half_close(peer, (unsigned)call);
	store_memory_fails = c->fails;
	grpc_peer_move(peer);
	grpc_peer_move(peer);
	store_memory_fails = 0;
	return grpc_peer_said(peer, (unsigned)call)->status;
}

static size_t words_of(uint8_t operand, char *words[ACTIONS + 1])
{
	size_t count = 0;

	if (operand == ORDER_TOO_MANY) {
		while (count <= ACTIONS)
			words[count++] = text_of("view");
		return count;
	}
	for (int i = 0; i < ACTIONS; i++)
		if (operand & ACTION_BIT(i))
			words[count++] = text_of(action_name((enum people_action)i));
	if (operand == ORDER_FLAG)
		words[count++] = text_of("fly");
	return count;
}

static int ask_users(const struct command *c)
{
	People__AddUserRequest add = PEOPLE__ADD_USER_REQUEST__INIT;
	People__ListUsersRequest list = PEOPLE__LIST_USERS_REQUEST__INIT;
	People__SuspendUserRequest suspend = PEOPLE__SUSPEND_USER_REQUEST__INIT;
	People__SetAuditorRequest auditor = PEOPLE__SET_AUDITOR_REQUEST__INIT;
	People__UserRequest remove = PEOPLE__USER_REQUEST__INIT;

	add.name = list.after = suspend.name = auditor.name = remove.name = text_of(c->name);
	add.administrator = suspend.resume = auditor.end = c->operand & ORDER_FLAG;
	switch (c->what) {
	case ORDER_ADD_USER:
		return ask(c, PROTO_PEOPLE_ADD_USER, &add.base);
	case ORDER_LIST_USERS:
		return ask(c, PROTO_PEOPLE_LIST_USERS, &list.base);
	case ORDER_SUSPEND_USER:
		return ask(c, PROTO_PEOPLE_SUSPEND_USER, &suspend.base);
	case ORDER_SET_AUDITOR:
		return ask(c, PROTO_PEOPLE_SET_AUDITOR, &auditor.base);
	default:
		return ask(c, PROTO_PEOPLE_REMOVE_USER, &remove.base);
	}
}

static int ask_tokens(const struct command *c)
{
	People__AddTokenRequest add = PEOPLE__ADD_TOKEN_REQUEST__INIT;
	People__UserRequest list = PEOPLE__USER_REQUEST__INIT;
	People__TokenRequest revoke = PEOPLE__TOKEN_REQUEST__INIT;
	char *words[ACTIONS + 1];
	int status;

	add.user = list.name = revoke.user = text_of(c->name);
	add.name = revoke.name = text_of(c->other);
	add.n_actions = words_of(c->operand, words);
	add.actions = words;
	add.days = (uint32_t)c->id_number * 300;
	if (c->what == ORDER_LIST_TOKENS)
		return ask(c, PROTO_PEOPLE_LIST_TOKENS, &list.base);
	if (c->what == ORDER_REVOKE_TOKEN)
		return ask(c, PROTO_PEOPLE_REVOKE_TOKEN, &revoke.base);
	makes_token = &people__new_token__descriptor;
	status = ask(c, PROTO_PEOPLE_ADD_TOKEN, &add.base);
	makes_token = NULL;
	return status;
}

static int ask_roles(const struct command *c)
{
	People__RolesRequest list = PEOPLE__ROLES_REQUEST__INIT;
	People__WhoamiRequest whoami = PEOPLE__WHOAMI_REQUEST__INIT;
	People__DefineRoleRequest define = PEOPLE__DEFINE_ROLE_REQUEST__INIT;
	People__MemberRequest member = PEOPLE__MEMBER_REQUEST__INIT;
	char *words[ACTIONS + 1];

	list.computation_id = whoami.computation_id = text_of(c->id);
	define.computation_id = member.computation_id = text_of(c->id);
	define.role = member.role = text_of(c->name);
	define.n_actions = words_of(c->operand, words);
	define.actions = words;
	member.user = text_of(c->other);
	switch (c->what) {
	case ORDER_LIST_ROLES:
		return ask(c, PROTO_PEOPLE_LIST_ROLES, &list.base);
	case ORDER_DEFINE_ROLE:
		return ask(c, PROTO_PEOPLE_DEFINE_ROLE, &define.base);
	case ORDER_GIVE_ROLE:
		return ask(c, PROTO_PEOPLE_GIVE_ROLE, &member.base);
	case ORDER_TAKE_ROLE:
		return ask(c, PROTO_PEOPLE_TAKE_ROLE, &member.base);
	default:
		return ask(c, PROTO_PEOPLE_WHOAMI, &whoami.base);
	}
}

static int create(const struct command *c)
{
	static const uint8_t zeros[32];
	Computations__CreateRequest request = COMPUTATIONS__CREATE_REQUEST__INIT;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;

	manifest.id = manifest.name = text_of(c->id);
	algorithm.hash = (ProtobufCBinaryData){ sizeof(zeros), (uint8_t *)(uintptr_t)zeros };
	algorithm.userkey = c->operand & ORDER_FLAG
				    ? (ProtobufCBinaryData){ keys[0].len, keys[0].spki }
				    : (ProtobufCBinaryData){ spki_len, spki };
	manifest.algorithm = &algorithm;
	request.manifest = &manifest;
	return ask(c, PROTO_COMPUTATIONS_CREATE, &request.base);
}

static int ask_computations(const struct command *c)
{
	Computations__ComputationRequest one = COMPUTATIONS__COMPUTATION_REQUEST__INIT;
	Computations__RunRequest run = COMPUTATIONS__RUN_REQUEST__INIT;
	Computations__RemoveRequest remove = COMPUTATIONS__REMOVE_REQUEST__INIT;
	Computations__ListRequest list = COMPUTATIONS__LIST_REQUEST__INIT;
	Computations__LogsRequest logs = COMPUTATIONS__LOGS_REQUEST__INIT;
	Computations__WitnessRequest witness = COMPUTATIONS__WITNESS_REQUEST__INIT;

	one.id = run.id = remove.id = list.after = logs.id = witness.id = text_of(c->id);
	run.unverified = c->operand & 1;
	run.again = c->operand & 2;
	run.cvm_id = text_of(c->operand & 4 ? "cvm" : "");
	run.new_cvm = c->operand & 8;
	logs.follow = c->operand & 1;
	logs.cvm_id = text_of(*c->id ? "" : "cvm");
	switch (c->what) {
	case ORDER_CREATE:
		return create(c);
	case ORDER_LIST:
		return ask(c, PROTO_COMPUTATIONS_LIST, &list.base);
	case ORDER_SHOW:
		return ask(c, PROTO_COMPUTATIONS_SHOW, &one.base);
	case ORDER_RUN:
		return ask(c, PROTO_COMPUTATIONS_RUN, &run.base);
	case ORDER_STOP:
		return ask(c, PROTO_COMPUTATIONS_STOP, &one.base);
	case ORDER_REMOVE:
		return ask(c, PROTO_COMPUTATIONS_REMOVE, &remove.base);
	case ORDER_LOGS:
		return ask(c, PROTO_COMPUTATIONS_LOGS, &logs.base);
	case ORDER_WITNESS:
		return ask(c, PROTO_COMPUTATIONS_WITNESS, &witness.base);
	default:
		list.after = text_of("");
		return ask(c, PROTO_COMPUTATIONS_LIST_CVMS, &list.base);
	}
}

static int ask_accounts(const struct command *c)
{
	People__SetPasswordRequest set = PEOPLE__SET_PASSWORD_REQUEST__INIT;
	People__UserRequest user = PEOPLE__USER_REQUEST__INIT;
	People__SessionRequest session = PEOPLE__SESSION_REQUEST__INIT;

	set.user = user.name = session.user = text_of(c->name);
	set.password = text_of(c->other);
	session.number = c->operand == ORDER_TOO_MANY ? UINT64_MAX : c->operand;
	switch (c->what) {
	case ORDER_SET_PASSWORD:
		return ask(c, PROTO_PEOPLE_SET_PASSWORD, &set.base);
	case ORDER_ADD_LINK:
		return ask(c, PROTO_PEOPLE_ADD_LINK, &user.base);
	case ORDER_REMOVE_FACTOR:
		return ask(c, PROTO_PEOPLE_REMOVE_FACTOR, &user.base);
	case ORDER_REMOVE_PASSKEYS:
		return ask(c, PROTO_PEOPLE_REMOVE_PASSKEYS, &user.base);
	case ORDER_LIST_SESSIONS:
		return ask(c, PROTO_PEOPLE_LIST_SESSIONS, &user.base);
	default:
		return ask(c, PROTO_PEOPLE_END_SESSION, &session.base);
	}
}

static size_t sign(const struct command *c, size_t n, uint8_t signature[SIGNATURE_MAX])
{
	struct possession p = { .user = c->name, .computation = c->id };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len, size;
	struct err e;

	memcpy(p.service, service_key, sizeof(p.service));
	memcpy(p.key, keys[n].fingerprint, sizeof(p.key));
	memcpy(p.challenge, challenge, sizeof(p.challenge));
	if (possession_message(&p, &bytes, &len, &e) < 0)
		return 0;
	n = c->operand & ORDER_OTHER_SIGNER ? !n : n;
	assert(key_sign(keys[n].key, true, bytes, len, signature, &size, &e) == 0);
	return c->operand & ORDER_SHORT_SIGNATURE ? size - 1 : size;
}

static int register_key(const struct command *c, const ProtobufCBinaryData *key, size_t n)
{
	People__RegisterKeyRequest request = PEOPLE__REGISTER_KEY_REQUEST__INIT;
	uint8_t signature[SIGNATURE_MAX];
	int status;

	request.key = *key;
	request.computation_id = text_of(c->id);
	request.challenge = (ProtobufCBinaryData){ sizeof(challenge), challenge };
	request.challenge.len -= c->operand & ORDER_SHORT_CHALLENGE ? 1 : 0;
	request.signature = (ProtobufCBinaryData){ sign(c, n, signature), signature };
	status = ask(c, PROTO_PEOPLE_REGISTER_KEY, &request.base);
	assert(status != 0 || !(c->operand & (ORDER_OTHER_SIGNER | ORDER_SHORT_CHALLENGE |
					      ORDER_SHORT_SIGNATURE | ORDER_NO_KEY)));
	return status;
}

static int ask_keys(const struct command *c)
{
	People__ChallengeKeyRequest ask_for = PEOPLE__CHALLENGE_KEY_REQUEST__INIT;
	People__UserRequest user = PEOPLE__USER_REQUEST__INIT;
	People__RetireKeyRequest retire = PEOPLE__RETIRE_KEY_REQUEST__INIT;
	People__RolesRequest owners = PEOPLE__ROLES_REQUEST__INIT;
	size_t n = c->operand & ORDER_OTHER_KEY;
	int status;

	ask_for.key = (ProtobufCBinaryData){ keys[n].len, keys[n].spki };
	ask_for.key.len -= c->operand & ORDER_NO_KEY ? 1 : 0;
	ask_for.computation_id = owners.computation_id = text_of(c->id);
	user.name = retire.user = text_of(c->name);
	retire.fingerprint = (ProtobufCBinaryData){ KEY_FINGERPRINT_LEN, keys[n].fingerprint };
	retire.fingerprint.len -= c->operand & ORDER_NO_KEY ? 1 : 0;
	switch (c->what) {
	case ORDER_CHALLENGE_KEY:
		asks_for_challenge = true;
		status = ask(c, PROTO_PEOPLE_CHALLENGE_KEY, &ask_for.base);
		asks_for_challenge = false;
		return status;
	case ORDER_REGISTER_KEY:
		return register_key(c, &ask_for.key, n);
	case ORDER_LIST_KEYS:
		return ask(c, PROTO_PEOPLE_LIST_KEYS, &user.base);
	case ORDER_RETIRE_KEY:
		return ask(c, PROTO_PEOPLE_RETIRE_KEY, &retire.base);
	case ORDER_FIND_KEY:
		return ask(c, PROTO_PEOPLE_FIND_KEY, &user.base);
	default:
		return ask(c, PROTO_PEOPLE_LIST_KEY_OWNERS, &owners.base);
	}
}

/* Without a page nobody is asked there: it is asked once more behind the call, as with one. */
static int ask_login(const struct command *c)
{
	People__AskLoginRequest request = PEOPLE__ASK_LOGIN_REQUEST__INIT;
	struct device d = { .scope = c->operand & ACTIONS_ALL, .days = (uint32_t)c->id_number };
	char *words[ACTIONS + 1];
	struct err e;

	request.n_actions = words_of(c->operand, words);
	request.actions = words;
	request.about = text_of(c->other);
	snprintf(d.about, sizeof(d.about), "%s", c->other);
	if (device_ask(&store.db, &d, store_now(), login, &e) == 0)
		memcpy(code, d.code, sizeof(code));
	return ask(c, PROTO_PEOPLE_ASK_LOGIN, &request.base);
}

/* As whoever signed in at the page does. */
static void let_in(const struct command *c)
{
	struct user u CLEANUP_USER = { .name = NULL };
	bool is_user = user_find(&store.db, c->name, &u, &(struct err){ .code = ERR_OK }) == 0;
	struct err e;

	(void)!device_answer(&store.db, code, is_user ? u.number : 0, store_now(), &e);
}

static int ask_logins(const struct command *c)
{
	People__LoginRequest request = PEOPLE__LOGIN_REQUEST__INIT;
	People__EndTokenRequest end = PEOPLE__END_TOKEN_REQUEST__INIT;
	int status;

	request.secret = c->operand & ORDER_FLAG ? text_of(c->name) : login;
	switch (c->what) {
	case ORDER_ASK_LOGIN:
		return ask_login(c);
	case ORDER_LET_IN:
		let_in(c);
		return ask(c, PROTO_PEOPLE_POLL_LOGIN, &request.base);
	case ORDER_POLL_LOGIN:
		return ask(c, PROTO_PEOPLE_POLL_LOGIN, &request.base);
	case ORDER_END_TOKEN:
		return ask(c, PROTO_PEOPLE_END_TOKEN, &end.base);
	default:
		makes_token = &people__login_token__descriptor;
		status = ask(c, PROTO_PEOPLE_TAKE_LOGIN, &request.base);
		makes_token = NULL;
		return status;
	}
}

static int ask_members(const struct command *c)
{
	static const char *const roles[] = { "", "viewer", "member", "administrator", "king" };
	People__WorkspaceMemberRequest member = PEOPLE__WORKSPACE_MEMBER_REQUEST__INIT;

	member.workspace = text_of(c->name);
	member.user = text_of(c->other);
	member.role = text_of(roles[c->operand % ARRAY_LEN(roles)]);
	member.resume = c->operand & ORDER_FLAG;
	switch (c->what) {
	case ORDER_ADD_MEMBER:
		return ask(c, PROTO_PEOPLE_ADD_MEMBER, &member.base);
	case ORDER_SET_MEMBER:
		return ask(c, PROTO_PEOPLE_SET_MEMBER, &member.base);
	case ORDER_SUSPEND_MEMBER:
		return ask(c, PROTO_PEOPLE_SUSPEND_MEMBER, &member.base);
	case ORDER_REMOVE_MEMBER:
		return ask(c, PROTO_PEOPLE_REMOVE_MEMBER, &member.base);
	default:
		return ask(c, PROTO_PEOPLE_TRANSFER_WORKSPACE, &member.base);
	}
}

/* As Invite does it, which needs a page. */
static void put_invitation(const struct command *c)
{
	const struct invitation_wish wish = { 1 + c->operand % MEMBERSHIP_ADMINISTRATOR, 1,
					      c->other };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct user u CLEANUP_USER = { .name = NULL };
	int64_t number;
	struct err e;

	if (workspace_find(&store.db, c->name, &w, &e) == 0 &&
	    user_find(&store.db, c->other, &u, &e) == 0)
		(void)!invitation_add(&store.db, &w, u.number, &wish, store_now(), &number,
				      invitation, &e);
}

/* It is taken once, and whoever has taken it is a member. */
static int take_invitation(const struct command *c)
{
	People__TakeInvitationRequest take = PEOPLE__TAKE_INVITATION_REQUEST__INIT;
	struct invitation i CLEANUP_INVITATION = { .note = NULL };
	char secret[INVITATION_TEXT_LEN + 1];
	bool is_open;
	struct err e;
	int status;

	memcpy(secret, invitation, sizeof(secret));
	if (c->operand & ORDER_FLAG)
		secret[0] = 'x';
	is_open = invitation_find(&store.db, secret, store_now(), &i, &e) == 0;
	take.secret = secret;
	status = ask(c, PROTO_PEOPLE_TAKE_INVITATION, &take.base);
	assert(status != 0 || is_open);
	if (status == 0) {
		struct invitation again CLEANUP_INVITATION = { .note = NULL };

		assert(err_is(invitation_find(&store.db, secret, store_now(), &again, &e),
			      ERR_NOT_FOUND));
	}
	return status;
}

static int ask_invitations(const struct command *c)
{
	static const char *const roles[] = { "", "viewer", "member", "administrator", "king" };
	People__InviteRequest invite = PEOPLE__INVITE_REQUEST__INIT;
	People__InvitationsRequest list = PEOPLE__INVITATIONS_REQUEST__INIT;
	People__InvitationRequest revoke = PEOPLE__INVITATION_REQUEST__INIT;

	invite.workspace = list.workspace = revoke.workspace = text_of(c->name);
	invite.role = text_of(roles[c->operand % ARRAY_LEN(roles)]);
	invite.days = c->operand;
	invite.note = text_of(c->other);
	revoke.number = c->operand & ORDER_FLAG ? UINT64_MAX : c->operand;
	switch (c->what) {
	case ORDER_INVITE:
		return ask(c, PROTO_PEOPLE_INVITE, &invite.base);
	case ORDER_LIST_INVITATIONS:
		return ask(c, PROTO_PEOPLE_LIST_INVITATIONS, &list.base);
	case ORDER_REVOKE_INVITATION:
		return ask(c, PROTO_PEOPLE_REVOKE_INVITATION, &revoke.base);
	case ORDER_PUT_INVITATION:
		put_invitation(c);
		return ERR_PRECONDITION; /* nobody asked */
	default:
		return take_invitation(c);
	}
}

/* How a list is ordered, and what is searched for there: 0, as it comes. */
static void look(uint8_t how, char **sort, char **search)
{
	static const char *const words[ORDER_SORTS] = { "",         "name",    "-role", "type",
							"-created", "changed", "state", "-" };

	*sort = text_of(words[how % ORDER_SORTS]);
	*search = text_of(how & ORDER_SEARCH ? "a" : "");
}

static int ask_workspaces(const struct command *c)
{
	People__WorkspaceRequest one = PEOPLE__WORKSPACE_REQUEST__INIT;
	People__ListWorkspacesRequest list = PEOPLE__LIST_WORKSPACES_REQUEST__INIT;
	People__RenameWorkspaceRequest rename = PEOPLE__RENAME_WORKSPACE_REQUEST__INIT;
	People__ListMembersRequest members = PEOPLE__LIST_MEMBERS_REQUEST__INIT;

	one.name = rename.name = members.workspace = list.after = text_of(c->name);
	rename.to = members.after = text_of(c->other);
	look(c->operand, &members.sort, &members.search);
	switch (c->what) {
	case ORDER_ADD_WORKSPACE:
		return ask(c, PROTO_PEOPLE_ADD_WORKSPACE, &one.base);
	case ORDER_LIST_WORKSPACES:
		return ask(c, PROTO_PEOPLE_LIST_WORKSPACES, &list.base);
	case ORDER_SHOW_WORKSPACE:
		return ask(c, PROTO_PEOPLE_SHOW_WORKSPACE, &one.base);
	case ORDER_RENAME_WORKSPACE:
		return ask(c, PROTO_PEOPLE_RENAME_WORKSPACE, &rename.base);
	case ORDER_REMOVE_WORKSPACE:
		return ask(c, PROTO_PEOPLE_REMOVE_WORKSPACE, &one.base);
	case ORDER_LEAVE_WORKSPACE:
		return ask(c, PROTO_PEOPLE_LEAVE_WORKSPACE, &one.base);
	default:
		return ask(c, PROTO_PEOPLE_LIST_MEMBERS, &members.base);
	}
}

/* Of what the database has, and spoilt by the operand. */
static size_t sign_confirmation(const struct command *c, struct confirmation *said, size_t n,
				uint8_t signature[SIGNATURE_MAX])
{
	CLEANUP(store_confirmations_free) struct store_confirmations *list = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len, size;
	struct err e;

	memcpy(said->service, service_key, sizeof(said->service));
	memcpy(said->key, keys[n].fingerprint, sizeof(said->key));
	if (store_confirmations(&store, c->id, &list, &e) == 0) {
		memcpy(said->digest, list->digest, sizeof(said->digest));
		said->revision = (uint64_t)list->revision;
	}
	said->digest[0] ^= c->operand & ORDER_OTHER_DIGEST ? 1 : 0;
	said->revision += c->operand & ORDER_OTHER_REVISION ? 1 : 0;
	if (confirmation_message(said, &bytes, &len, &e) < 0)
		return 0;
	n = c->operand & ORDER_OTHER_SIGNER ? !n : n;
	assert(key_sign(keys[n].key, true, bytes, len, signature, &size, &e) == 0);
	return c->operand & ORDER_SHORT_SIGNATURE ? size - 1 : size;
}

static int ask_confirmations(const struct command *c)
{
	struct confirmation said = { .user = c->name, .computation = c->id };
	People__ConfirmRequest request = PEOPLE__CONFIRM_REQUEST__INIT;
	People__RolesRequest list = PEOPLE__ROLES_REQUEST__INIT;
	uint8_t signature[SIGNATURE_MAX];
	int status;

	request.computation_id = list.computation_id = text_of(c->id);
	if (c->what == ORDER_LIST_CONFIRMATIONS)
		return ask(c, PROTO_PEOPLE_LIST_CONFIRMATIONS, &list.base);
	request.signature.len =
		sign_confirmation(c, &said, c->operand & ORDER_OTHER_KEY, signature);
	request.signature.data = signature;
	request.key = (ProtobufCBinaryData){ sizeof(said.key), said.key };
	request.key.len -= c->operand & ORDER_NO_KEY ? 1 : 0;
	request.manifest_digest = (ProtobufCBinaryData){ sizeof(said.digest), said.digest };
	request.revision = said.revision;
	status = ask(c, PROTO_PEOPLE_CONFIRM, &request.base);
	assert(status != 0 ||
	       !(c->operand & (ORDER_OTHER_SIGNER | ORDER_OTHER_DIGEST | ORDER_NO_KEY |
			       ORDER_SHORT_SIGNATURE | ORDER_OTHER_REVISION)));
	return status;
}

static int ask_assets(const struct command *c)
{
	static uint8_t digests[2][MANIFEST_HASH_LEN] = { { 0 }, { 1 } };
	People__RegisterAssetRequest add = PEOPLE__REGISTER_ASSET_REQUEST__INIT;
	People__ListAssetsRequest list = PEOPLE__LIST_ASSETS_REQUEST__INIT;
	People__AssetRequest one = PEOPLE__ASSET_REQUEST__INIT;
	People__UpdateAssetRequest update = PEOPLE__UPDATE_ASSET_REQUEST__INIT;
	People__LinkAssetRequest link = PEOPLE__LINK_ASSET_REQUEST__INIT;
	uint8_t how = c->operand;

	add.workspace = list.workspace = one.workspace = update.workspace = link.workspace =
		text_of(c->name);
	add.name = list.after = one.name = update.name = link.name = text_of(c->other);
	add.type = text_of(how & ORDER_OTHER_TYPE ? "king"
			   : how & ORDER_DATASET  ? "dataset"
						  : "algorithm");
	add.digest.data = digests[how & ORDER_OTHER_ASSET ? 1 : 0];
	add.digest.len = MANIFEST_HASH_LEN - (how & ORDER_SHORT_ASSET ? 1 : 0);
	add.description = update.description = text_of(how & ORDER_DESCRIBED ? "of 2024" : "");
	add.mime_type = update.mime_type = text_of(how & ORDER_BAD_MIME ? "text"
						   : how & ORDER_MIME   ? "text/csv"
									: "");
	update.to = text_of(names[how % ORDER_NAMES]);
	update.no_description = how & ORDER_NO_DESCRIPTION;
	link.computation_id = text_of(c->id);
	look(how, &list.sort, &list.search);
	switch (c->what) {
	case ORDER_REGISTER_ASSET:
		return ask(c, PROTO_PEOPLE_REGISTER_ASSET, &add.base);
	case ORDER_LIST_ASSETS:
		return ask(c, PROTO_PEOPLE_LIST_ASSETS, &list.base);
	case ORDER_SHOW_ASSET:
		return ask(c, PROTO_PEOPLE_SHOW_ASSET, &one.base);
	case ORDER_UPDATE_ASSET:
		return ask(c, PROTO_PEOPLE_UPDATE_ASSET, &update.base);
	case ORDER_REMOVE_ASSET:
		return ask(c, PROTO_PEOPLE_REMOVE_ASSET, &one.base);
	default:
		return ask(c, PROTO_PEOPLE_LINK_ASSET, &link.base);
	}
}

static int64_t number_of(const char *sql, const char *text);

/* Of the secret that was made last, for the page's clock as it is. */
static void write_code(const struct command *c, char typed[FACTOR_RECOVERY_TEXT_LEN + 1])
{
	struct err e;

	page_now += (int64_t)(c->operand & ORDER_STEPS) * TOTP_STEP_MS;
	if (c->operand & ORDER_RECOVERY)
		memcpy(typed, recovery.codes[0], sizeof(recovery.codes[0]));
	else
		assert(totp_code(totp, page_now / TOTP_STEP_MS, typed, &e) == 0);
	if (c->operand & ORDER_FLAG && *typed)
		typed[0] = typed[0] == '0' ? '1' : '0';
}

static void try_factor(const struct command *c, int64_t person)
{
	char typed[FACTOR_RECOVERY_TEXT_LEN + 1] = "";
	struct factor_state before, after;
	enum factor_answer answer = FACTOR_LATER;
	struct err e;

	write_code(c, typed);
	assert(factor_look(&store.db, person, &before, &e) == 0);
	if (factor_try(&store.db, store.secrets, person, typed, page_now, &answer, &e) < 0) {
		assert(before.is_on && !*typed && e.code == ERR_INVALID);
		return;
	}
	assert(factor_look(&store.db, person, &after, &e) == 0);
	assert(before.is_on || answer == FACTOR_RIGHT);
	if (before.is_on && c->operand & ORDER_RECOVERY)
		assert(answer != FACTOR_LATER &&
		       after.left == before.left - (answer == FACTOR_RIGHT ? 1 : 0));
	if (answer != FACTOR_RIGHT) {
		assert(factor_refuse(answer, &e) < 0 && *e.text);
		return;
	}
	/* What was taken is not taken again. */
	assert(!before.is_on ||
	       factor_try(&store.db, store.secrets, person, typed, page_now, &answer, &e) < 0 ||
	       answer != FACTOR_RIGHT);
}

static void confirm_factor(const struct command *c, int64_t person)
{
	char typed[FACTOR_RECOVERY_TEXT_LEN + 1] = "";
	struct factor_state before, after;
	struct err e;

	write_code(c, typed);
	assert(factor_look(&store.db, person, &before, &e) == 0);
	int failed =
		factor_confirm(&store.db, store.secrets, person, typed, 0, page_now, &recovery, &e);

	assert(factor_look(&store.db, person, &after, &e) == 0);
	assert(failed ? after.is_on == before.is_on
		      : !before.is_on && after.is_on && after.left == FACTOR_RECOVERY);
}

/* As whoever signed in at the page does. */
static void ask_factors(const struct command *c)
{
	struct user u CLEANUP_USER = { .name = NULL };
	struct factor_state state;
	struct err e;

	if (user_find(&store.db, c->name, &u, &e) < 0)
		return;
	switch (c->what) {
	case ORDER_BEGIN_FACTOR:
		(void)!factor_begin(&store.db, store.secrets, u.number, page_now, totp, &e);
		return;
	case ORDER_CONFIRM_FACTOR:
		confirm_factor(c, u.number);
		return;
	case ORDER_TRY_FACTOR:
		try_factor(c, u.number);
		return;
	default:
		assert(factor_look(&store.db, u.number, &state, &e) == 0);
		int failed = c->operand & ORDER_FLAG
				     ? factor_remove(&store.db, u.number, &e)
				     : factor_renew(&store.db, u.number, &recovery, &e);
		assert(state.is_on ? failed == 0 : err_is(failed, ERR_NOT_FOUND));
	}
}

/* Who shows it, by the database alone, before the call; false: nobody whom it should let in. */
static bool is_known(const struct command *c, struct token_owner *who)
{
	uint8_t hash[SHA256_LEN];
	struct err e;

	return c->token >= TOKEN_A && c->token <= TOKEN_C &&
	       token_hash(tokens[c->token - TOKEN_A], hash, &e) == 0 &&
	       token_who(&store.db, hash, store_now(), who, &e) == 0;
}

static void meter(const struct command *c)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct err e;

	if (workspace_find(&store.db, c->name, &w, &e) < 0)
		return;
	assert(db_run(&store.db, &e,
		      "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
		      " memory, since, until) VALUES (?, ?, 'tag', ?, ?, 1, ?, ?)",
		      "ittiii", w.number, w.name, c->id, (int64_t)c->operand, store_now(),
		      store_now() + 1) == 0);
}

static int ask_usage(const struct command *c)
{
	Computations__UsageRequest request = COMPUTATIONS__USAGE_REQUEST__INIT;
	struct token_owner who = { .person = 0 };
	int status;

	request.workspace = text_of(c->name);
	if (c->operand & ORDER_OTHER_MONTH)
		request.month = text_of("2026-01");
	if (c->operand & ORDER_BAD_MONTH)
		request.month = text_of("2026-13");
	if (c->operand & ORDER_BAD_PLACE)
		request.after = text_of("1.x");
	if (c->operand & ORDER_BEHIND)
		request.after = text_of("1.0.");
	request.limit = c->operand & ORDER_FLAG ? 1 : 0;
	if (is_known(c, &who) && !who.administrator)
		asks_for_usage = who.person;
	status = ask(c, PROTO_COMPUTATIONS_USAGE, &request.base);
	asks_for_usage = 0;
	return status;
}

static int ask_one(const struct command *c)
{
	if (c->what == ORDER_USAGE)
		return ask_usage(c);
	if (c->what == ORDER_METER) {
		meter(c);
		return ERR_PRECONDITION; /* nobody asked */
	}
	if (c->what >= ORDER_BEGIN_FACTOR) {
		ask_factors(c);
		return ERR_PRECONDITION; /* nobody asked */
	}
	if (c->what >= ORDER_REGISTER_ASSET)
		return ask_assets(c);
	if (c->what == ORDER_SET_AUDITOR)
		return ask_users(c);
	if (c->what == ORDER_REMOVE_FACTOR || c->what == ORDER_REMOVE_PASSKEYS)
		return ask_accounts(c);
	if (c->what >= ORDER_INVITE)
		return ask_invitations(c);
	if (c->what >= ORDER_CONFIRM)
		return ask_confirmations(c);
	if (c->what >= ORDER_ADD_MEMBER)
		return ask_members(c);
	if (c->what >= ORDER_ADD_WORKSPACE)
		return ask_workspaces(c);
	if (c->what >= ORDER_ASK_LOGIN)
		return ask_logins(c);
	if (c->what >= ORDER_CHALLENGE_KEY)
		return ask_keys(c);
	if (c->what >= ORDER_SET_PASSWORD)
		return ask_accounts(c);
	if (c->what <= ORDER_REMOVE_USER)
		return ask_users(c);
	if (c->what <= ORDER_REVOKE_TOKEN)
		return ask_tokens(c);
	return c->what <= ORDER_WHOAMI ? ask_roles(c) : ask_computations(c);
}

/* ---- what must hold ---- */

static int64_t number_of(const char *sql, const char *text)
{
	int64_t number = -1;
	struct err e;

	assert(db_number(&store.db, &number, &e, sql, *text ? "t" : "", text) == 0);
	return number;
}

static bool is_the_service_s(enum order what)
{
	return what <= ORDER_REMOVE_USER || what == ORDER_LIST_CVMS || what == ORDER_SET_PASSWORD ||
	       what == ORDER_ADD_LINK || what == ORDER_REMOVE_FACTOR ||
	       what == ORDER_REMOVE_PASSKEYS || what == ORDER_SET_AUDITOR ||
	       what == ORDER_ADD_WORKSPACE || what == ORDER_ADD_MEMBER;
}

static bool governs(enum order what)
{
	return what == ORDER_RENAME_WORKSPACE || what == ORDER_REMOVE_WORKSPACE ||
	       what == ORDER_SET_MEMBER || what == ORDER_SUSPEND_MEMBER ||
	       what == ORDER_REMOVE_MEMBER || what == ORDER_TRANSFER_WORKSPACE ||
	       (what >= ORDER_INVITE && what <= ORDER_REVOKE_INVITATION);
}

/* What its user is, before the call, in the workspace that the command names, and in the computation's. */
struct standing {
	enum membership in, at;
};

/* One who is suspended is as one who is none. */
static struct standing standing_of(const struct command *c, const struct token_owner *who)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct standing p = { MEMBERSHIP_NONE, MEMBERSHIP_NONE };
	bool suspended = false;
	struct err e;

	if (workspace_find(&store.db, c->name, &w, &e) == 0)
		assert(workspace_member_in(&store.db, w.number, who->person, &p.in, &suspended,
					   &e) == 0);
	if (suspended)
		p.in = MEMBERSHIP_NONE;
	assert(workspace_member_at(&store.db, c->id, who->person, &p.at, &suspended, &e) == 0);
	if (suspended)
		p.at = MEMBERSHIP_NONE;
	return p;
}

/* With a computation that has to be there. */
static bool is_about_one(enum order what)
{
	return what == ORDER_RUN || what == ORDER_STOP || what == ORDER_REMOVE ||
	       what == ORDER_GIVE_ROLE || what == ORDER_TAKE_ROLE || what == ORDER_DEFINE_ROLE ||
	       what == ORDER_SHOW || what == ORDER_LIST_ROLES;
}

/* What a right answer can't be. */
static void check_answer(const struct command *c, bool known, const struct token_owner *who,
			 unsigned granted, struct standing p, int status)
{
	if (c->token == TOKEN_NONE) {
		assert(!service.sign_in || status != 0 ||
		       (c->what >= ORDER_ASK_LOGIN && c->what <= ORDER_TAKE_LOGIN));
		return;
	}
	if (!known) {
		/* Words that are none, and a page that is not there, are seen before anybody is looked up. */
		assert(status == ERR_UNAUTHENTICATED || status == ERR_INVALID ||
		       status == ERR_PRECONDITION);
		return;
	}
	if (is_the_service_s(c->what))
		assert(status != 0 ||
		       (who->administrator && who->scope & ACTION_BIT(ACTION_ADMINISTRATOR)));
	if (who->administrator || status != 0)
		return;
	if ((c->what >= ORDER_SHOW_WORKSPACE && c->what < ORDER_CONFIRM) ||
	    (c->what >= ORDER_INVITE && c->what <= ORDER_REVOKE_INVITATION))
		assert(p.in != MEMBERSHIP_NONE);
	if (governs(c->what))
		assert(p.in == MEMBERSHIP_ADMINISTRATOR &&
		       who->scope & ACTION_BIT(ACTION_ADMINISTRATOR));
	if (*c->name && c->what >= ORDER_REGISTER_ASSET && c->what <= ORDER_LINK_ASSET)
		assert(p.in != MEMBERSHIP_NONE);
	if (*c->name && (c->what == ORDER_REGISTER_ASSET || c->what == ORDER_LINK_ASSET))
		assert(p.in != MEMBERSHIP_VIEWER);
	if (*c->name && c->what == ORDER_USAGE)
		assert(p.in != MEMBERSHIP_NONE);
	if (c->what == ORDER_LINK_ASSET)
		assert(p.at == MEMBERSHIP_ADMINISTRATOR || granted & ACTION_BIT(ACTION_VIEW));
	if (is_about_one(c->what))
		assert(p.at != MEMBERSHIP_NONE);
	if (is_about_one(c->what) && c->what != ORDER_SHOW && c->what != ORDER_LIST_ROLES)
		assert(p.at != MEMBERSHIP_VIEWER);
	if (p.at == MEMBERSHIP_ADMINISTRATOR)
		return; /* in each of its computations */
	if (c->what == ORDER_RUN || c->what == ORDER_STOP)
		assert(granted & who->scope & ACTION_BIT(ACTION_RUN));
	if (c->what == ORDER_REMOVE || c->what == ORDER_GIVE_ROLE || c->what == ORDER_TAKE_ROLE ||
	    c->what == ORDER_DEFINE_ROLE)
		assert(granted & who->scope & ACTION_BIT(ACTION_ADMINISTRATOR));
	if (c->what == ORDER_REGISTER_KEY)
		assert(who->scope == ACTIONS_ALL && strcmp(who->name, c->name) == 0 &&
		       (!*c->id || granted & ACTION_BIT(ACTION_VIEW)));
	if (c->what == ORDER_CONFIRM)
		assert(strcmp(who->name, c->name) == 0 && (granted & ACTION_BIT(ACTION_VIEW)));
	if (c->what == ORDER_SHOW || c->what == ORDER_LIST_ROLES ||
	    c->what == ORDER_LIST_KEY_OWNERS || c->what == ORDER_LIST_CONFIRMATIONS)
		assert(granted & ACTION_BIT(ACTION_VIEW));
}

static void check_tables(void)
{
	for (size_t i = 0; i < COMPUTATION_NONE; i++) {
		bool there = number_of("SELECT count(*) FROM computations WHERE id = ?", ids[i]);
		bool has = number_of("SELECT count(*) FROM role_members WHERE role = 'owner'"
				     " AND computation = ?",
				     ids[i]);

		assert(!has || there);
		assert(!owned[i] || has || !there);
		owned[i] = has;
	}
	assert(number_of("SELECT count(*) FROM own_roles WHERE actions % 2 = 0", "") == 0);
	assert(number_of("SELECT count(*) FROM tokens WHERE scope % 2 = 0 OR expires <= created",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM own_roles WHERE computation NOT IN"
			 " (SELECT id FROM computations)",
			 "") == 0);
	/* A key is one user's, and of each user one is in use for each computation, and for all. */
	assert(number_of("SELECT count(*) FROM user_keys a JOIN user_keys b"
			 " ON a.fingerprint = b.fingerprint AND a.person <> b.person",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM user_keys a JOIN user_keys b"
			 " ON a.person = b.person AND a.computation = b.computation"
			 " AND a.number <> b.number WHERE a.retired = 0 AND b.retired = 0",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM user_keys WHERE computation <> ''"
			 " AND computation NOT IN (SELECT id FROM computations)",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM computations c WHERE NOT EXISTS (SELECT 1 FROM"
			 " workspace_computations h WHERE h.computation = c.id)",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM role_members m WHERE NOT EXISTS (SELECT 1 FROM"
			 " workspace_computations h JOIN workspace_members w ON"
			 " w.workspace = h.workspace WHERE h.computation = m.computation"
			 " AND w.person = m.person)",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM workspaces", "") > 0);
	/* An asset and what it is linked with are in one workspace. */
	assert(number_of("SELECT count(*) FROM asset_links l JOIN assets a ON a.number = l.asset"
			 " WHERE NOT EXISTS (SELECT 1 FROM workspace_computations h WHERE"
			 " h.computation = l.computation AND h.workspace = a.workspace)",
			 "") == 0);
	assert(number_of("SELECT count(*) FROM recovery_codes r WHERE NOT EXISTS (SELECT 1 FROM"
			 " factors f WHERE f.person = r.person AND f.confirmed = 1)",
			 "") == 0);
}

static void command(struct reader *r)
{
	const struct command c = command_read(r);
	struct token_owner who = { .person = 0 };
	bool known = is_known(&c, &who);
	struct standing place = { MEMBERSHIP_NONE, MEMBERSHIP_NONE };
	unsigned granted = 0;
	struct err e;

	if (known) {
		assert(role_granted(&store.db, c.id, who.person, &granted, &e) == 0);
		place = standing_of(&c, &who);
	}
	check_answer(&c, known, &who, granted, place, ask_one(&c));
	check_tables();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	uint8_t flags = reader_u8(&r);

	if (!loop.data)
		prepare();
	enter(flags & 1);
	if (service.sign_in) { /* there is no socket to begin over: one is made beside */
		const struct token t = { .name = text_of("t"),
					 .scope = ACTIONS_ALL,
					 .expires = store_now() + 1000000 };
		struct err e;

		struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

		assert(workspace_first(&store.db, &w, &e) == 0);
		assert(workspace_member_new(&store.db, &w, "chief", true, 1, &e) == 0);
		assert(token_add(&store.db, number_of("SELECT number FROM users", ""), &t,
				 store_now(), tokens[made++], &e) == 0);
	}
	for (int i = 0; i < COMMANDS_MAX && reader_ok(&r) && reader_left(&r); i++)
		command(&r);
	leave();
	return 0;
}
