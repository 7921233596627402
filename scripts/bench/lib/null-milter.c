/*
 * The least a milter can be: hears every step of every mail over libmilter and says "continue" to each.
 * Build: cc -O2 -o null-milter null-milter.c -lmilter -lpthread       Run: null-milter unix:/path | inet:port@127.0.0.1
 */
#include <stdio.h>
#include <sys/types.h>
#include <libmilter/mfapi.h>

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address) { return SMFIS_CONTINUE; }
static sfsistat on_string(SMFICTX *ctx, char *text) { return SMFIS_CONTINUE; }
static sfsistat on_args(SMFICTX *ctx, char **args) { return SMFIS_CONTINUE; }
static sfsistat on_header(SMFICTX *ctx, char *name, char *value) { return SMFIS_CONTINUE; }
static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t count) { return SMFIS_CONTINUE; }
static sfsistat on_step(SMFICTX *ctx) { return SMFIS_CONTINUE; }

static struct smfiDesc filter = {
    .xxfi_name = "null",
    .xxfi_version = SMFI_VERSION,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_string,
    .xxfi_envfrom = on_args,
    .xxfi_envrcpt = on_args,
    .xxfi_header = on_header,
    .xxfi_eoh = on_step,
    .xxfi_body = on_body,
    .xxfi_eom = on_step,
    .xxfi_abort = on_step,
    .xxfi_close = on_step,
    .xxfi_data = on_step,
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: null-milter SOCKET\n");
        return 2;
    }
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
        return 1;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
