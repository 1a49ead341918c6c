/* SPDX-License-Identifier: Apache-2.0 */
/* Every form of a domain is checked against libvirt's own schema: COCOS_SCHEMAS, or the
 * installed one. */
#include "common/base/file.h"
#include "manager/virt/domain_xml.h"
#include "tests/unit.h"

#include <libxml/relaxng.h>
#include <libxml/xpath.h>

static xmlRelaxNGPtr schema;
static bool schema_knows_tees;

#define HOST_DATA "bGlidmlydGxpYnZpcnRsaWJ2aXJ0bGlidmlydGxpYnY="
#define MR        "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJq83v"

static int load_schema(void **state)
{
	const char *dir = getenv("COCOS_SCHEMAS");
	xmlRelaxNGParserCtxtPtr parser;
	char path[512];

	snprintf(path, sizeof(path), "%s/domain.rng", dir ? dir : "");
	schema_knows_tees = dir && access(path, R_OK) == 0;
	if (!schema_knows_tees)
		snprintf(path, sizeof(path), "/usr/share/libvirt/schemas/domain.rng");
	parser = xmlRelaxNGNewParserCtxt(path);
	schema = parser ? xmlRelaxNGParse(parser) : NULL;
	xmlRelaxNGFreeParserCtxt(parser);
	return schema ? 0 : -1;
}

static int free_schema(void **state)
{
	xmlRelaxNGFree(schema);
	return 0;
}

static struct domain_spec plain(void)
{
	return (struct domain_spec){
		.name = "cocos-0a1b2c3d-0",
		.uuid = "3b1f8a10-1111-4222-8333-000000000001",
		.memory_kib = 1048576,
		.cpus = 2,
		.kernel = "/image/vmlinuz",
		.initrd = "/image/initrd.img",
		.cmdline = "console=ttyS0 a=\"b&c<d\"",
		.boot_disk = "/run/cocos/x/boot.img",
		.console = "/var/lib/cocos/x/console.log",
	};
}

static struct domain_spec snp(void)
{
	struct domain_spec spec = plain();

	spec.tee = DOMAIN_SNP;
	spec.kvm = true;
	spec.firmware = "/usr/share/ovmf/OVMF.amdsev.fd";
	spec.cpu_type = "EPYC-v4";
	spec.snp = (struct domain_snp){
		.policy = 0x30000, .host_data = HOST_DATA, .cbitpos = 51, .reduced_phys_bits = 1
	};
	return spec;
}

static struct domain_spec tdx(void)
{
	struct domain_spec spec = plain();

	spec.tee = DOMAIN_TDX;
	spec.kvm = true;
	spec.firmware = "/usr/share/ovmf/OVMF.inteltdx.fd";
	spec.tdx = (struct domain_tdx){ .mr_config_id = MR };
	return spec;
}

/* Writes every form to files that libvirt reads in manager_libvirt.py. */
static void keep(const char *xml)
{
	const char *dir = getenv("COCOS_DOMAINS");
	static unsigned count;
	char path[512];
	struct err e;

	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/%u.xml", dir, count++);
	assert_ok(file_write(path, xml, strlen(xml), 0644, &e), e);
}

static xmlDocPtr parse(const struct domain_spec *spec)
{
	CLEANUP(free) char *xml = NULL;
	xmlDocPtr doc;
	struct err e;

	assert_ok(domain_xml_write(spec, &xml, &e), e);
	keep(xml);
	doc = xmlReadMemory(xml, (int)strlen(xml), "domain.xml", NULL, XML_PARSE_NONET);
	assert_non_null(doc);
	return doc;
}

static bool validates(xmlDocPtr doc)
{
	xmlRelaxNGValidCtxtPtr context = xmlRelaxNGNewValidCtxt(schema);
	int r = xmlRelaxNGValidateDoc(context, doc);

	xmlRelaxNGFreeValidCtxt(context);
	return r == 0;
}

/* The string that an XPath expression gives. */
static void assert_xpath(xmlDocPtr doc, const char *expression, const char *wanted)
{
	xmlXPathContextPtr context = xmlXPathNewContext(doc);
	xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST expression, context);
	xmlChar *text = xmlXPathCastToString(found);

	if (strcmp((const char *)text, wanted) != 0)
		fail_msg("%s: '%s' is not '%s'", expression, (const char *)text, wanted);
	xmlFree(text);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
}

static void a_plain_domain_has_what_the_image_needs(void **state)
{
	struct domain_spec spec = plain();
	xmlDocPtr doc = parse(&spec);

	assert_true(validates(doc));
	assert_xpath(doc, "string(/domain/@type)", "qemu");
	assert_xpath(doc, "string(/domain/name)", spec.name);
	assert_xpath(doc, "string(/domain/uuid)", spec.uuid);
	assert_xpath(doc, "concat(/domain/memory, /domain/memory/@unit)", "1048576KiB");
	assert_xpath(doc, "string(/domain/vcpu)", "2");
	assert_xpath(doc, "string(/domain/os/type/@machine)", "q35");
	assert_xpath(doc, "string(/domain/os/cmdline)", spec.cmdline);
	assert_xpath(doc, "string(/domain/cpu/@mode)", "maximum");
	assert_xpath(doc, "string(//cpu/feature[@name='avx']/@policy)", "disable");
	assert_xpath(doc, "string(//cpu/feature[@name='fma']/@policy)", "disable");
	assert_xpath(doc,
		     "string(//disk[serial='cocos-boot'][driver/@type='raw'][target/@bus='virtio']"
		     "[readonly][not(shareable)]/source/@file)",
		     spec.boot_disk);
	assert_xpath(doc, "string(//tpm[@model='tpm-crb']/backend/@version)", "2.0");
	assert_xpath(doc, "count(//active_pcr_banks[sha256][sha384]/*)", "2");
	assert_xpath(doc, "string(//interface[@type='user']/model/@type)", "virtio");
	assert_xpath(doc, "string(//serial/source/@path)", spec.console);
	assert_xpath(
		doc,
		"count(//disk | //filesystem | //graphics | //hostdev | //redirdev | //channel)",
		"1");
	assert_xpath(doc, "concat(/domain/on_poweroff, /domain/on_reboot, /domain/on_crash)",
		     "destroydestroydestroy");
	assert_xpath(doc, "count(/domain/launchSecurity)", "0");
	xmlFreeDoc(doc);
}

/* libvirt adds what is not said to be missing; and each device is one more by which a host reaches into the guest. */
static void no_domain_has_a_device_that_nobody_needs(void **state)
{
	struct domain_spec specs[] = { plain(), snp(), tdx() };

	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		xmlDocPtr doc = parse(&specs[i]);

		assert_xpath(doc, "count(/domain/devices/*)", "6");
		assert_xpath(
			doc,
			"count(/domain/devices/*[self::disk or self::interface or self::serial "
			"or self::tpm])",
			"4");
		assert_xpath(doc, "string(//controller[@type='usb']/@model)", "none");
		assert_xpath(doc, "string(//memballoon/@model)", "none");
		assert_xpath(doc, "string(//interface/rom/@enabled)", "no");
		xmlFreeDoc(doc);
	}
}

/* By its place, which older images go by, the root is the first disk. */
static void disks_have_their_places(void **state)
{
	struct domain_spec spec = plain();
	xmlDocPtr doc;

	spec.root = "/image/root.img";
	doc = parse(&spec);
	assert_true(validates(doc));
	assert_xpath(doc, "string(//disk[source/@file='/image/root.img'][shareable]/target/@dev)",
		     "vda");
	assert_xpath(doc, "count(//disk[source/@file='/image/root.img']/serial)", "0");
	assert_xpath(doc, "string(//disk[source/@file='/image/root.img']/address/@slot)", "0x02");
	assert_xpath(doc, "string(//disk[serial='cocos-boot']/target/@dev)", "vdb");
	assert_xpath(doc, "string(//disk[serial='cocos-boot']/address/@slot)", "0x03");
	assert_xpath(doc, "count(//disk)", "2");
	xmlFreeDoc(doc);
}

static void an_image_that_takes_shares_gets_both_and_no_boot_disk(void **state)
{
	struct domain_spec spec = plain();
	xmlDocPtr doc;
	struct err e;
	char *xml;

	spec.env_dir = "/run/cocos/x/env";
	spec.certs_dir = "/run/cocos/x/certs";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "no boot disk");
	spec.boot_disk = NULL;
	doc = parse(&spec);
	assert_true(validates(doc));
	assert_xpath(doc, "string(//filesystem[target/@dir='env_share'][readonly]/source/@dir)",
		     spec.env_dir);
	assert_xpath(doc, "string(//filesystem[target/@dir='certs_share'][readonly]/source/@dir)",
		     spec.certs_dir);
	assert_xpath(doc, "count(//disk)", "0");
	xmlFreeDoc(doc);
	spec.certs_dir = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "both shares");
	spec.env_dir = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "a boot disk");
}

static void variations_of_a_plain_domain_validate(void **state)
{
	struct domain_spec spec = plain();
	xmlDocPtr doc;

	spec.kvm = true;
	spec.root = "/image/root.img";
	spec.firmware = "/usr/share/OVMF/OVMF_CODE_4M.fd";
	spec.emulator = "/usr/bin/qemu-system-x86_64";
	doc = parse(&spec);
	assert_true(validates(doc));
	assert_xpath(doc, "string(/domain/@type)", "kvm");
	assert_xpath(doc, "string(/domain/cpu/@mode)", "host-passthrough");
	assert_xpath(doc, "string(//disk[readonly][shareable][target/@bus='virtio']/source/@file)",
		     spec.root);
	assert_xpath(doc, "string(/domain/os/loader[@readonly='yes'][@stateless='yes'])",
		     spec.firmware);
	xmlFreeDoc(doc);
}

static void an_snp_domain_is_bound_to_its_configuration(void **state)
{
	struct domain_spec spec = snp();
	xmlDocPtr doc = parse(&spec);

	if (schema_knows_tees)
		assert_true(validates(doc));
	assert_xpath(doc, "string(/domain/launchSecurity[@type='sev-snp']/@kernelHashes)", "yes");
	assert_xpath(doc, "string(/domain/launchSecurity/hostData)", HOST_DATA);
	assert_xpath(doc, "string(/domain/launchSecurity/policy)", "0x0000000000030000");
	assert_xpath(doc, "string(/domain/launchSecurity/cbitpos)", "51");
	assert_xpath(doc, "string(/domain/os/loader/@type)", "rom");
	assert_xpath(doc, "string(/domain/memoryBacking/source/@type)", "memfd");
	assert_xpath(doc, "string(/domain/cpu/model)", "EPYC-v4");
	assert_xpath(doc, "count(//cpu/feature)", "0"); /* the processor does them itself */
	xmlFreeDoc(doc);

	spec.snp.id_block = "QUFB";
	spec.snp.id_auth = "QkJC";
	doc = parse(&spec);
	if (schema_knows_tees)
		assert_true(validates(doc));
	assert_xpath(doc, "concat(//idBlock, //idAuth)", "QUFBQkJC");
	xmlFreeDoc(doc);
}

static void a_tdx_domain_is_bound_to_its_configuration(void **state)
{
	struct domain_spec spec = tdx();
	xmlDocPtr doc = parse(&spec);

	if (schema_knows_tees)
		assert_true(validates(doc));
	assert_xpath(doc, "string(/domain/launchSecurity[@type='tdx']/mrConfigId)", MR);
	assert_xpath(doc, "count(/domain/launchSecurity/policy)", "0");
	assert_xpath(doc, "count(/domain/launchSecurity/quoteGenerationService[not(@path)])", "1");
	assert_xpath(doc, "string(/domain/features/ioapic/@driver)", "qemu");
	assert_xpath(doc, "string(/domain/features/pmu/@state)", "off");
	xmlFreeDoc(doc);

	spec.tdx = (struct domain_tdx){ .has_policy = true,
					.policy = 0x10000000,
					.mr_config_id = MR,
					.mr_owner = MR,
					.quote_socket = "/run/tdx-qgs/qgs.socket" };
	doc = parse(&spec);
	if (schema_knows_tees)
		assert_true(validates(doc));
	assert_xpath(doc, "string(//launchSecurity/policy)", "0x0000000010000000");
	assert_xpath(doc, "string(//mrOwner)", MR);
	assert_xpath(doc, "string(//quoteGenerationService/@path)", spec.tdx.quote_socket);
	xmlFreeDoc(doc);
}

static void an_igvm_file_replaces_firmware_and_kernel(void **state)
{
	struct domain_spec spec = snp();
	xmlDocPtr doc;

	spec.firmware = NULL;
	spec.igvm = "/usr/share/cocos/coconut.igvm";
	doc = parse(&spec);
	if (schema_knows_tees)
		assert_true(validates(doc));
	assert_xpath(doc, "count(/domain/os/kernel | /domain/os/loader | //tpm)", "0");
	assert_xpath(doc, "count(/domain/launchSecurity/@kernelHashes)", "0");
	assert_xpath(doc, "string(//*[local-name()='arg'][2]/@value)",
		     "igvm-cfg,id=igvm0,file=/usr/share/cocos/coconut.igvm");
	xmlFreeDoc(doc);
}

static void a_simulated_tee_is_asked_for_in_the_emulators_words(void **state)
{
	struct domain_spec spec = snp();
	xmlDocPtr doc;

	spec.kvm = false;
	spec.simulated = true;
	spec.emulator = "/opt/emulator";
	doc = parse(&spec);
	assert_true(validates(doc)); /* by a libvirt that knows no TEE as well */
	assert_xpath(doc, "string(/domain/@type)", "qemu");
	assert_xpath(doc, "count(/domain/launchSecurity | /domain/memoryBacking)", "0");
	assert_xpath(doc, "string(//emulator)", spec.emulator);
	assert_xpath(doc, "string(//loader/@type)", "rom");
	assert_xpath(doc, "string(//*[local-name()='arg'][2]/@value)",
		     "{\"qom-type\":\"sev-snp-guest\",\"id\":\"lsec0\",\"cbitpos\":51,"
		     "\"reduced-phys-bits\":1,\"policy\":196608,\"host-data\":\"" HOST_DATA
		     "\",\"kernel-hashes\":true}");
	assert_xpath(doc, "string(//*[local-name()='arg'][4]/@value)",
		     "confidential-guest-support=lsec0");
	xmlFreeDoc(doc);
	spec = tdx();
	spec.kvm = false;
	spec.simulated = true;
	spec.emulator = "/opt/emulator";
	spec.tdx.mr_owner = MR;
	doc = parse(&spec);
	assert_true(validates(doc));
	assert_xpath(doc, "string(//*[local-name()='arg'][2]/@value)",
		     "{\"qom-type\":\"tdx-guest\",\"id\":\"lsec0\",\"attributes\":0,"
		     "\"mrconfigid\":\"" MR "\",\"mrowner\":\"" MR "\"}");
	xmlFreeDoc(doc);
}

/* What scripts/host-tables saves of a simulated TD's launch has to hold for a TD: the tables are of the devices, which
 * are the same text, down to their places; so are memory, processors, machine and boot. */
static void a_simulated_td_has_the_devices_of_a_td(void **state)
{
	static const char *const parts[] = { "/domain/devices", "/domain/os", "/domain/memory",
					     "/domain/vcpu", "/domain/clock" };
	struct domain_spec genuine = tdx(), simulated = tdx();
	xmlDocPtr docs[2];

	genuine.root = simulated.root = "/image/root.img";
	genuine.emulator = simulated.emulator = "/opt/emulator";
	simulated.kvm = false;
	simulated.simulated = true;
	docs[0] = parse(&genuine);
	docs[1] = parse(&simulated);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		xmlChar *texts[2];

		for (size_t j = 0; j < 2; j++) {
			xmlXPathContextPtr context = xmlXPathNewContext(docs[j]);
			xmlXPathObjectPtr found =
				xmlXPathEvalExpression(BAD_CAST parts[i], context);
			xmlBufferPtr buffer = xmlBufferCreate();

			assert_int_equal(found->nodesetval->nodeNr, 1);
			assert_true(xmlNodeDump(buffer, docs[j], found->nodesetval->nodeTab[0], 0,
						0) > 0);
			texts[j] = xmlBufferDetach(buffer);
			xmlBufferFree(buffer);
			xmlXPathFreeObject(found);
			xmlXPathFreeContext(context);
		}
		assert_string_equal((const char *)texts[0], (const char *)texts[1]);
		xmlFree(texts[0]);
		xmlFree(texts[1]);
	}
	xmlFreeDoc(docs[0]);
	xmlFreeDoc(docs[1]);
}

static void what_no_emulator_simulates_is_refused(void **state)
{
	struct domain_spec good = snp(), spec;
	char *xml;
	struct err e;

	good.kvm = false;
	good.simulated = true;
	good.emulator = "/opt/emulator";
	spec = good;
	spec.kvm = true;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "need KVM");
	spec = good;
	spec.emulator = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "simulates");
	spec = good;
	spec.snp.id_block = spec.snp.id_auth = "QUFB";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "ID block");
	spec = good;
	spec.firmware = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "firmware");
	spec.igvm = "/x.igvm";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "IGVM file");
	spec = tdx();
	spec.kvm = false;
	spec.simulated = true;
	spec.emulator = "/opt/emulator";
	spec.tdx.quote_socket = "/run/tdx-qgs/qgs.socket";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "quote");
	spec = plain();
	spec.simulated = true;
	spec.emulator = "/opt/emulator";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "simulates");
}

static void what_no_libvirt_starts_is_refused(void **state)
{
	struct domain_spec spec;
	char *xml;
	struct err e;

	spec = snp();
	spec.kvm = false;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "need KVM");
	spec = tdx();
	spec.firmware = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "firmware");
	spec = snp();
	spec.igvm = "/x.igvm";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "alone");
	spec = plain();
	spec.igvm = "/x.igvm";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_PRECONDITION, "alone");
	spec = snp();
	spec.firmware = NULL;
	spec.igvm = "/x,y.igvm";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "comma");
	spec = snp();
	spec.snp.id_block = "QUFB";
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "go together");
	spec = snp();
	spec.snp.host_data = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "host data");
	spec = tdx();
	spec.tdx.mr_config_id = NULL;
	assert_refused(domain_xml_write(&spec, &xml, &e), e, ERR_INVALID, "MRCONFIGID");
}

static void text_that_xml_can_not_hold_is_refused(void **state)
{
	struct domain_spec spec = plain();
	char *xml = NULL;
	struct err e;

	spec.cmdline = "a\x01"
		       "b";
	if (domain_xml_write(&spec, &xml, &e) == 0) {
		/* Written or refused, it must never be read back as something else. */
		assert_null(xmlReadMemory(xml, (int)strlen(xml), "x", NULL, XML_PARSE_NOERROR));
		free(xml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_domain_has_what_the_image_needs),
		cmocka_unit_test(no_domain_has_a_device_that_nobody_needs),
		cmocka_unit_test(disks_have_their_places),
		cmocka_unit_test(an_image_that_takes_shares_gets_both_and_no_boot_disk),
		cmocka_unit_test(variations_of_a_plain_domain_validate),
		cmocka_unit_test(an_snp_domain_is_bound_to_its_configuration),
		cmocka_unit_test(a_tdx_domain_is_bound_to_its_configuration),
		cmocka_unit_test(an_igvm_file_replaces_firmware_and_kernel),
		cmocka_unit_test(a_simulated_tee_is_asked_for_in_the_emulators_words),
		cmocka_unit_test(a_simulated_td_has_the_devices_of_a_td),
		cmocka_unit_test(what_no_emulator_simulates_is_refused),
		cmocka_unit_test(what_no_libvirt_starts_is_refused),
		cmocka_unit_test(text_that_xml_can_not_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, load_schema, free_schema);
}
