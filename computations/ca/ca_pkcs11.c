/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_pkcs11.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

enum { SLOTS_MAX = 64 };

int ca_pkcs11_fault(struct err *e, CK_RV rv, const char *what)
{
	return err_set(e, ERR_UNAVAILABLE, "token: %s: %s", what, p11_kit_strerror(rv));
}

/* ---- its URI ---- */

bool ca_pkcs11_name(struct ca_pkcs11 *t, CK_ATTRIBUTE_TYPE type, CK_ATTRIBUTE *name)
{
	const CK_ATTRIBUTE *found = p11_kit_uri_get_attribute(t->uri, type);

	if (found)
		*name = *found;
	return found != NULL;
}

static int check_object(struct ca_pkcs11 *t, struct err *e)
{
	CK_ATTRIBUTE name;

	if (ca_pkcs11_name(t, CKA_CLASS, &name) &&
	    (name.ulValueLen != sizeof(CK_OBJECT_CLASS) ||
	     *(CK_OBJECT_CLASS *)name.pValue != CKO_PRIVATE_KEY))
		return err_set(e, ERR_INVALID, "its type= is not private");
	if (!ca_pkcs11_name(t, CKA_LABEL, &name) && !ca_pkcs11_name(t, CKA_ID, &name))
		return err_set(e, ERR_INVALID, "it names no key: say object= or id=");
	return 0;
}

/* A path, or file: before it. */
static int take_pin_path(struct ca_pkcs11 *t, struct err *e)
{
	const char *source = p11_kit_uri_get_pin_source(t->uri);

	if (p11_kit_uri_get_pin_value(t->uri))
		return err_set(e, ERR_INVALID,
			       "it has the PIN itself, which others see: say pin-source= and a "
			       "file's path");
	if (!source)
		return 0;
	if (strncmp(source, "file:", 5) == 0)
		source += 5;
	if (source[0] != '/' || source[1] == '/')
		return err_set(e, ERR_INVALID, "its pin-source= is not an absolute path");
	t->pin_path = strdup(source);
	return t->pin_path ? 0 : err_nomem(e);
}

static int check_uri(struct ca_pkcs11 *t, struct err *e)
{
	const char *path = p11_kit_uri_get_module_path(t->uri);

	if (p11_kit_uri_any_unrecognized(t->uri))
		return err_set(e, ERR_INVALID, "it has parts that are not known");
	if (!path || path[0] != '/')
		return err_set(e, ERR_INVALID,
			       "it names no library: say module-path= and an absolute path");
	if (p11_kit_uri_get_module_name(t->uri))
		return err_set(e, ERR_INVALID, "it has module-name=: module-path= is enough");
	if (check_object(t, e) < 0)
		return err_code(e);
	return take_pin_path(t, e);
}

int ca_pkcs11_new(const char *text, struct ca_pkcs11 **token, struct err *e)
{
	CLEANUP(ca_pkcs11_free) struct ca_pkcs11 *t = calloc(1, sizeof(*t));
	int answer;

	if (!t || !(t->uri = p11_kit_uri_new()))
		return err_nomem(e);
	answer = p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, t->uri);
	/* The text may hold a PIN, and is not said. */
	if (answer != P11_KIT_URI_OK)
		return err_set(e, ERR_INVALID, "no URI of RFC 7512: %s",
			       p11_kit_uri_message(answer));
	if (check_uri(t, e) < 0)
		return err_wrap(e, "the pkcs11: URI");
	*token = TAKE_PTR(t);
	return 0;
}

void ca_pkcs11_drop(struct ca_pkcs11 *t)
{
	if (t->is_open)
		(void)t->module->C_CloseSession(t->session);
	t->is_open = false;
	/* What it knew of its tokens it may keep until then. */
	if (t->is_begun)
		(void)p11_kit_module_finalize(t->module);
	t->is_begun = false;
}

void ca_pkcs11_free(struct ca_pkcs11 *t)
{
	if (!t)
		return;
	ca_pkcs11_drop(t);
	if (t->module)
		p11_kit_module_release(t->module);
	p11_kit_uri_free(t->uri);
	free(t->pin_path);
	free(t);
}

/* ---- its module, its slot ---- */

static int begin(struct ca_pkcs11 *t, struct err *e)
{
	const char *path = p11_kit_uri_get_module_path(t->uri);
	CK_RV rv;

	/* Managed: several authorities may be in tokens of one module. */
	if (!t->module)
		t->module = p11_kit_module_load(path, 0);
	if (!t->module)
		return err_set(e, ERR_PRECONDITION, "'%s' can't be loaded: %s", path,
			       p11_kit_message());
	rv = p11_kit_module_initialize(t->module);
	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "begin");
	t->is_begun = true;
	return 0;
}

static int find_slot(struct ca_pkcs11 *t, CK_SLOT_ID *slot, CK_TOKEN_INFO *info, struct err *e)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	CK_RV rv = t->module->C_GetSlotList(CK_TRUE, slots, &count);
	size_t found = 0;

	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "list the slots");
	for (CK_ULONG i = 0; i < count && i < SLOTS_MAX; i++) {
		CK_TOKEN_INFO about;

		if (t->module->C_GetTokenInfo(slots[i], &about) != CKR_OK ||
		    !(about.flags & CKF_TOKEN_INITIALIZED) ||
		    !p11_kit_uri_match_token_info(t->uri, &about))
			continue;
		*slot = slots[i];
		*info = about;
		found++;
	}
	if (!found)
		return err_set(e, ERR_UNAVAILABLE, "token: none that the URI names is there");
	if (found > 1)
		return err_set(e, ERR_PRECONDITION,
			       "token: the URI names %zu of them: say serial= as well", found);
	return 0;
}

/* ---- its PIN ---- */

static int refuse(struct ca_pkcs11 *t, const char *why, struct err *e)
{
	t->is_refused = true;
	return err_set(e, ERR_DENIED,
		       "token: the PIN of '%s' is refused: %s; it is not tried again until this "
		       "program is started anew",
		       t->pin_path, why);
}

static int enter_pin(struct ca_pkcs11 *t, struct err *e)
{
	char pin[CA_SIGNER_SECRET_MAX + 1];
	CK_RV rv;

	if (ca_secret_read(t->pin_path, pin, e) < 0)
		return err_code(e);
	rv = t->module->C_Login(t->session, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen(pin));
	explicit_bzero(pin, sizeof(pin));
	switch (rv) {
	case CKR_OK:
	case CKR_USER_ALREADY_LOGGED_IN:
		return 0;
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_EXPIRED:
	case CKR_PIN_LOCKED:
		return refuse(t, p11_kit_strerror(rv), e);
	default:
		return ca_pkcs11_fault(e, rv, "enter the PIN");
	}
}

/* A token that counts wrong PINs is asked for its count first: neither a supervisor that starts us again nor --check may
 * use up what is left. */
static int login(struct ca_pkcs11 *t, const CK_TOKEN_INFO *info, struct err *e)
{
	if (!(info->flags & CKF_LOGIN_REQUIRED))
		return 0;
	if (!t->pin_path)
		return err_set(
			e, ERR_PRECONDITION,
			"token: it wants a PIN: say pin-source= and a file's path in the URI");
	if (info->flags & CKF_USER_PIN_LOCKED)
		return err_set(e, ERR_DENIED, "token: its PIN is locked");
	if (info->flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY))
		return err_set(e, ERR_DENIED,
			       "token: somebody entered a wrong PIN before, and a token locks "
			       "after some: none is tried; put '%s' right, and enter the right one "
			       "once by hand, such as with pkcs11-tool --login",
			       t->pin_path);
	return enter_pin(t, e);
}

/* ---- its key ---- */

int ca_pkcs11_find(struct ca_pkcs11 *t, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *object,
		   struct err *e)
{
	CK_ATTRIBUTE wanted[3] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count = 0, names = 1;
	CK_RV rv;

	names += ca_pkcs11_name(t, CKA_LABEL, &wanted[names]);
	names += ca_pkcs11_name(t, CKA_ID, &wanted[names]);
	rv = t->module->C_FindObjectsInit(t->session, wanted, names);
	if (rv == CKR_OK) {
		rv = t->module->C_FindObjects(t->session, found, ARRAY_LEN(found), &count);
		(void)t->module->C_FindObjectsFinal(t->session);
	}
	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "look for the key");
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "token: it has no %s key of the URI's names",
			       class == CKO_PRIVATE_KEY ? "private" : "public");
	if (count > 1)
		return err_set(e, ERR_PRECONDITION,
			       "token: it has several keys of the URI's names: say id= as well");
	*object = found[0];
	return 0;
}

static int check_key(struct ca_pkcs11 *t, struct err *e)
{
	CK_KEY_TYPE type = 0;
	CK_BBOOL always = CK_FALSE;
	CK_ATTRIBUTE kind = { CKA_KEY_TYPE, &type, sizeof(type) };
	CK_ATTRIBUTE asks = { CKA_ALWAYS_AUTHENTICATE, &always, sizeof(always) };
	CK_RV rv = t->module->C_GetAttributeValue(t->session, t->key, &kind, 1);

	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "ask about the key");
	if (type != CKK_EC)
		return err_set(e, ERR_PRECONDITION, "token: the key is not ECDSA's");
	/* Not all have it. */
	if (t->module->C_GetAttributeValue(t->session, t->key, &asks, 1) == CKR_OK && always)
		return err_set(e, ERR_PRECONDITION,
			       "token: the key wants the PIN for each signature, which a service "
			       "can't be asked for");
	return 0;
}

static int open_session(struct ca_pkcs11 *t, bool writes, struct err *e)
{
	CK_TOKEN_INFO info = { 0 };
	CK_SLOT_ID slot = 0;
	CK_RV rv;

	if (begin(t, e) < 0 || find_slot(t, &slot, &info, e) < 0)
		return err_code(e);
	rv = t->module->C_OpenSession(slot, CKF_SERIAL_SESSION | (writes ? CKF_RW_SESSION : 0),
				      NULL, NULL, &t->session);
	if (rv != CKR_OK)
		return ca_pkcs11_fault(e, rv, "open a session");
	t->is_open = true;
	return login(t, &info, e);
}

int ca_pkcs11_need(struct ca_pkcs11 *t, bool writes, struct err *e)
{
	if (t->is_open)
		return 0;
	if (t->is_refused)
		return refuse(t, "it was before", e);
	if (open_session(t, writes, e) < 0) {
		ca_pkcs11_drop(t);
		return err_code(e);
	}
	int failed = ca_pkcs11_find(t, CKO_PRIVATE_KEY, &t->key, e);
	return failed ? failed : check_key(t, e);
}
