/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_certificate.h — the service's authority: what everybody may have of it, and, for who administers the service,
 * what it has issued. For this folder only.
 */
#pragma once

#include "computations/ca/certificate.h"
#include "computations/web/web_action.h"

#define WEB_CERTIFICATE_PATH      "/ca.pem"
#define WEB_CERTIFICATE_LIST_PATH CERTIFICATE_LIST_PATH

void web_certificate(struct http_request *r, void *data);
void web_certificate_list(struct http_request *r, void *data);

/* web_issued.c: a form, */
extern const struct web_action web_page_certificate_revoke;
/* and the API; */
extern const struct web_action web_api_certificate_revoke;
/* all that it issued or has a token for, and one of them. */
void web_issued(struct http_request *r, void *data);
void web_issued_json(struct http_request *r, void *data);
void web_issued_one(struct http_request *r, void *data);
void web_issued_one_json(struct http_request *r, void *data);
