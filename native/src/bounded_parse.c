// A parse by tree-sitter that gives up when it holds too much memory or takes too long.
//
// tree-sitter asks after every hundred steps or so whether to go on, but one step has no bound: at the end of some
// kilobytes of hostile C it copies every path through its stack, and takes gigabytes. It cannot be told that there is no
// memory either, it ends the process. So all it allocates in a parse is linked here, and what would be too much is not
// given: the parse is left by a jump, and all of it is freed. No frame but those of tree-sitter's core lies between, and
// it holds nothing else.
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <tree_sitter/api.h>

// Stands before each allocation of tree-sitter; its size keeps what follows aligned.
typedef struct Block {
    struct Block *before, *after; // NULL outside of a parse
    size_t size, unused;
} Block;

typedef struct {
    Block all; // the ring of what is held
    size_t held, most;
    uint64_t until;
    jmp_buf over;
} Parse;

static _Thread_local Parse *running = NULL;

static void link_in(Block *block) {
    block->before = &running->all;
    block->after = running->all.after;
    block->after->before = block;
    running->all.after = block;
    running->held += block->size;
}

static void unlink_from(Block *block) {
    block->before->after = block->after;
    block->after->before = block->before;
    running->held -= block->size;
}

// Leaves the parse; outside of one there is nobody to tell.
static void *no_memory(void) {
    if (running == NULL) abort();
    longjmp(running->over, 1);
}

// Memory of `size` bytes, in the place of `old` if there is one.
static void *allocated(Block *old, size_t size, int zeroed) {
    const int linked = old != NULL && old->before != NULL;
    const size_t without = running == NULL ? 0 : running->held - (linked ? old->size : 0);
    if (size > SIZE_MAX - sizeof(Block)) return no_memory();
    if (running != NULL && (size > running->most || without > running->most - size)) return no_memory();
    if (linked) unlink_from(old);
    Block *block = zeroed ? calloc(1, sizeof(Block) + size) : realloc(old, sizeof(Block) + size);
    if (block == NULL) {
        if (linked) link_in(old);
        return no_memory();
    }
    block->size = size;
    block->before = block->after = NULL;
    if (running != NULL && (old == NULL || linked)) link_in(block);
    return block + 1;
}

void *kairos_tree_malloc(size_t size) { return allocated(NULL, size, 0); }

void *kairos_tree_calloc(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return no_memory();
    return allocated(NULL, count * size, 1);
}

void *kairos_tree_realloc(void *at, size_t size) { return allocated(at == NULL ? NULL : (Block *)at - 1, size, 0); }

void kairos_tree_free(void *at) {
    if (at == NULL) return;
    Block *block = (Block *)at - 1;
    if (block->before != NULL) unlink_from(block);
    free(block);
}

static uint64_t spent(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool is_late(TSParseState *state) { return spent() > *(const uint64_t *)state->payload; }

typedef struct {
    const char *bytes;
    uint32_t length;
} Text;

static const char *read_text(void *payload, uint32_t at, TSPoint point, uint32_t *length) {
    (void)point;
    const Text *text = payload;
    *length = at < text->length ? text->length - at : 0;
    return *length > 0 ? text->bytes + at : "";
}

// The tree of a text in UTF-8; NULL if the parse would hold more than `most` bytes or takes more than `nanos` of
// processor time. The allocator of tree-sitter must be the four functions above.
TSTree *kairos_parse(const TSLanguage *language, const char *bytes, uint32_t length, size_t most, uint64_t nanos) {
    Parse parse = {.held = 0, .most = most, .until = spent() + nanos};
    parse.all.before = parse.all.after = &parse.all;
    TSTree *volatile tree = NULL;
    running = &parse;
    if (setjmp(parse.over) == 0) {
        Text text = {bytes, length};
        TSInput input = {.payload = &text, .read = read_text, .encoding = TSInputEncodingUTF8};
        TSParseOptions options = {.payload = &parse.until, .progress_callback = is_late};
        TSParser *parser = ts_parser_new();
        if (ts_parser_set_language(parser, language)) tree = ts_parser_parse_with_options(parser, NULL, input, options);
        if (tree != NULL) ts_parser_delete(parser);
    } else {
        tree = NULL;
    }
    // What is left is the tree, which outlives the parse, or all of a parse that was given up. Its parser is not asked
    // to free that: it would call itself once for each node of its stack.
    for (Block *block = parse.all.after, *next; block != &parse.all; block = next) {
        next = block->after;
        block->before = block->after = NULL;
        if (tree == NULL) free(block);
    }
    running = NULL;
    return tree;
}
