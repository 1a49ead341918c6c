/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim_form.h — the parts of a CoRIM that nothing is judged by, held to their form all the same
 * (draft-ietf-rats-corim, sections 4 and 5; CoSWID: RFC 9393): a file that breaks the rules where we
 * step over it was not made by a tool that keeps them elsewhere.
 */
#pragma once

#include "attestation/corim/corim_tag.h"
#include "common/base/err.h"

/* entity-map: a name, at least one role, and a URI as registration id where there is one. */
int corim_form_entities(const struct datum *array, struct err *e) MUST_CHECK;
/* dependent-rims: at least one, each with the URI or URIs that it is found at. */
int corim_form_locators(const struct datum *array, struct err *e) MUST_CHECK;
/* Language, entities, linked tags and the triples beside reference triples. */
int corim_form_comid(const struct datum *map, struct err *e) MUST_CHECK;
/* Identity, list and validity, which has to cover `at` (else ERR_DENIED). */
int corim_form_cotl(const struct datum *map, int64_t at, struct err *e) MUST_CHECK;
/* The mandatory members: tag id and version, the software's name, who made it. */
int corim_form_coswid(const struct datum *map, struct err *e) MUST_CHECK;

/* The name of a kind of triples, "endorsed-triples"; NULL: not known here. */
const char *corim_form_triples(int64_t kind);
