/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_import.h — computations out of documents and into them (transfer/document.h), by the page and its API. For this
 * folder only.
 */
#pragma once

#include "computations/transfer/document.h"
#include "computations/web/web_action.h"

enum {
	/* Bytes of JSON: a document in a string, whose quotes take two bytes each. */
	WEB_IMPORT_MAX = 2 * DOCUMENT_MAX,
	WEB_IMPORT_PEOPLE = 1024, /* who may be named; as many are looked up */
};

extern const struct web_action web_api_import;

void web_import_api(struct http_request *r, void *data);
void web_import_page(struct http_request *r, void *data);
void web_export(struct http_request *r, void *data);
