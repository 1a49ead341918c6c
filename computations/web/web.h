/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h — the service's page and its API for programs (COMPUTATIONS_WEB).
 */
#pragma once

#include "common/rpc/tls.h"
#include "computations/core/config.h"
#include "computations/core/service.h"

struct web;

/* web_oidc.c: whether new users of a provider are mapped to the workspace of that name. NULL: nobody is. */
bool web_maps(const struct web *web, const char *workspace);

/* Nothing if no setting asks for it. `tls` is the administrators'. Also after a failure it has to be closed. */
int web_open(const struct config *config, struct service *service, struct rpc_tls *tls,
	     struct web **web, struct err *e) MUST_CHECK;
/* At once; then the loop has to run until its handles are closed. NULL is fine. */
void web_close(struct web *web);
void web_done(struct web *web);

/* Who takes connections to the page with TLS; NULL: nobody does. `web` may be NULL. */
struct rpc_server *web_tls_server(struct web *web);

/* Where the page is: "http://localhost:9466", or "" for the name in its certificate. ERR_PRECONDITION: there is none. */
enum { WEB_ORIGIN_MAX = 32 };
int web_origin(const struct service *service, char origin[WEB_ORIGIN_MAX],
	       struct err *e) MUST_CHECK;
/* What a link in a mail begins with: COMPUTATIONS_WEB_ORIGIN, or the page's address on this machine; lent. "": there is none. */
const char *web_link_base(const struct service *service);

/* Where somebody who has signed in lets a command line in (device.h). */
#define WEB_DEVICE_PATH "/me/device"

/* Says how somebody becomes the first administrator, if there is none. */
int web_first(struct service *service, struct err *e) MUST_CHECK;

/* Whoever signed in as that user with a browser, and is not in yet, has to do so again: his password is another one,
 * or his sessions were ended. */
void web_forget_links(struct service *service, int64_t person);

/* Something new is on disk about a computation. */
void web_wake(struct service *service, const char *computation_id);
