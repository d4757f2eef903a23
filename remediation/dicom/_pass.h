/* The compiled pass: what `Reader.meta` and `Reader.data_set` do, in C, for a crawl.

   `reader.py` is the reference: it says what is done and why; here the same is done in the same
   order, and tests hold both to the same spans, offset, error and notes for any bytes. Words that
   are not explained here are explained there.

   Nothing here knows of Python (`_pass.c` does). Bytes are read within [0, limit), after a look at
   `limit`; spans go into an array that grows. Lengths are below 2^32 and offsets below 2^61, so no
   sum of them leaves 64 bits. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t Offset;

enum { PLAIN, LONG, ODD };
enum { UNKNOWN_VR = 1, RESERVED = 2, ORDER = 4, DELIMITER_LENGTH = 8, IMPLICIT_META = 16 };

#define UNBOUNDED ((Offset)1 << 62)
#define FURTHEST ((Offset)1 << 61)
#define UNDEFINED 0xFFFFFFFFu
#define META_GROUP 0x0002u
#define PIXEL_GROUP 0x7FE0u
#define ITEM_GROUP 0xFFFEu
#define ITEM 0xFFFEE000u
#define ITEM_END 0xFFFEE00Du
#define SEQUENCE_END 0xFFFEE0DDu
#define STEP_CAP 400000
#define DEPTH_CAP 64
#define LEAST 8

/* A VR is a number: its two letters in base 26; the VR of an item is NO_VR. */
#define VR(a, b) (((a) - 'A') * 26 + (b) - 'A')
#define VRS (26 * 26)
#define NO_VR VRS
enum { LO = VR('L', 'O'), OB = VR('O', 'B'), OW = VR('O', 'W'), SQ = VR('S', 'Q'),
       UL = VR('U', 'L'), UN = VR('U', 'N') };

#define SLOTS_BITS 14
#define SLOTS (1u << SLOTS_BITS)

/* What `reader.py` knows of VRs; a slot with vr < 0 is empty. */
typedef struct {
    unsigned char forms[VRS];
    struct {
        uint32_t tag;
        int vr;
    } known[SLOTS];
    uint32_t count;
} Dictionary;

typedef struct {
    Offset start, value, end;
    uint32_t tag;
    int16_t vr;
    bool explicit;
} Span;

typedef struct {
    const Dictionary *dictionary;
    const unsigned char *data;
    Offset limit, total;
    const char *missing;
    bool little;
    unsigned notes;
    int steps;
    Span *spans;
    int64_t count, room;
} Pass;

/* What is being read: see `data_set` in reader.py. */
typedef struct {
    Offset end, bound, last;
    int64_t index;
    unsigned mark;
    bool marked, explicit, items;
} Level;

typedef struct {
    Offset position;
    const char *error; /* NULL where there is no memory */
} Ended;

static inline uint32_t two(const Pass *pass, Offset at)
{
    const unsigned char *raw = pass->data + at;
    return pass->little ? raw[0] | (uint32_t)raw[1] << 8 : raw[1] | (uint32_t)raw[0] << 8;
}

static inline uint32_t four(const Pass *pass, Offset at)
{
    uint32_t first = two(pass, at), second = two(pass, at + 2);
    return pass->little ? first | second << 16 : second | first << 16;
}

static inline uint32_t tag_at(const Pass *pass, Offset at)
{
    return two(pass, at) << 16 | two(pass, at + 2);
}

static inline int letters(const unsigned char *raw)
{
    bool both = raw[0] >= 'A' && raw[0] <= 'Z' && raw[1] >= 'A' && raw[1] <= 'Z';
    return both ? VR(raw[0], raw[1]) : -1;
}

static inline bool is_sequence(int vr)
{
    return vr == SQ || vr == UN;
}

static inline int form_of(const Pass *pass, int vr)
{
    return vr < 0 ? ODD : pass->dictionary->forms[vr];
}

static inline uint32_t slot_of(uint32_t tag)
{
    return tag * 2654435761u >> (32 - SLOTS_BITS);
}

static int implicit_vr(const Pass *pass, uint32_t tag)
{
    const Dictionary *words = pass->dictionary;
    for (uint32_t slot = slot_of(tag); words->known[slot].vr >= 0; slot = (slot + 1) % SLOTS)
        if (words->known[slot].tag == tag)
            return words->known[slot].vr;
    uint32_t number = tag & 0xFFFF;
    if (number == 0)
        return UL;
    return (tag >> 16 & 1) && number >= 0x10 && number <= 0xFF ? LO : UN;
}

static const char *need(const Pass *pass, Offset end, Offset bound)
{
    if (end > bound)
        return "overrun";
    if (end <= pass->limit)
        return NULL;
    return end <= pass->total && pass->missing[0] ? pass->missing : "truncated";
}

static const char *lacking(const Pass *pass, Offset position)
{
    const char *word = need(pass, position + 8, UNBOUNDED);
    word = word ? word : need(pass, position + 12, UNBOUNDED);
    return word ? word : "truncated";
}

static inline Offset nearer(Offset one, Offset other)
{
    return one < other ? one : other;
}

static bool is_short(const char *word)
{
    return strcmp(word, "short") == 0;
}

static bool add(Pass *pass, uint32_t tag, int vr, Offset start, Offset value, Offset end,
                bool explicit)
{
    if (pass->count == pass->room) {
        int64_t room = pass->room ? 2 * pass->room : 256; /* at most 2 * STEP_CAP */
        Span *more = realloc(pass->spans, (size_t)room * sizeof(Span));
        if (!more)
            return false;
        pass->spans = more;
        pass->room = room;
    }
    pass->spans[pass->count++] = (Span){start, value, end, tag, (int16_t)vr, explicit};
    return true;
}

static const char *odd(Pass *pass, uint32_t tag, int vr, Offset position, bool explicit)
{
    if (explicit) {
        int form = form_of(pass, vr);
        if (vr < 0)
            return "bad-vr";
        if (form == ODD)
            pass->notes |= UNKNOWN_VR;
        if (form == LONG) {
            const char *word;
            if ((word = need(pass, position + 12, UNBOUNDED)))
                return word;
            if (two(pass, position + 6))
                pass->notes |= RESERVED;
        }
    }
    return tag >> 16 == ITEM_GROUP ? "stray-delimiter" : NULL;
}

static const char *fragments(Pass *pass, Offset position, Offset bound, Offset *stop)
{
    for (const char *word;;) {
        if ((word = need(pass, position + 8, UNBOUNDED)))
            return word;
        uint32_t tag = tag_at(pass, position), length = four(pass, position + 4);
        position += 8;
        if (tag == SEQUENCE_END) {
            if (length)
                pass->notes |= DELIMITER_LENGTH;
            *stop = position;
            return need(pass, position, bound);
        }
        if (tag != ITEM || length == UNDEFINED)
            return "fragments";
        if (!pass->steps)
            return "too-many-elements";
        pass->steps--;
        position += length;
        if ((word = need(pass, position, bound)))
            return word;
    }
}

static Ended meta(Pass *pass, Offset position)
{
    Offset last = -1;
    while (is_short(pass->missing) || position + 8 <= pass->limit) {
        const char *word;
        if ((word = need(pass, position + 8, UNBOUNDED)))
            return (Ended){position, word};
        uint32_t tag = tag_at(pass, position);
        if (tag >> 16 != META_GROUP)
            break;
        Offset value = position + 8;
        uint32_t length = two(pass, position + 6);
        int vr = letters(pass->data + position + 4), form = form_of(pass, vr);
        if (form == ODD) {
            pass->notes |= IMPLICIT_META;
            vr = implicit_vr(pass, tag);
            length = four(pass, position + 4);
        } else if (form == LONG) {
            if ((word = need(pass, position + 12, UNBOUNDED)))
                return (Ended){position, word};
            if (length)
                pass->notes |= RESERVED;
            length = four(pass, value);
            value = position + 12;
        }
        Offset end = value + length;
        if ((word = need(pass, end, UNBOUNDED)))
            return (Ended){position, word};
        if (tag <= last)
            pass->notes |= ORDER;
        if (!add(pass, tag, vr, position, value, end, true))
            return (Ended){position, NULL};
        position = end;
        last = tag;
    }
    return (Ended){position, ""};
}

static Ended data_set(Pass *pass, Offset position, bool explicit, long until,
                      const uint32_t *only, int64_t only_count)
{
    const Offset limit = pass->limit;
    const bool ends = !pass->missing[0] || strcmp(pass->missing, "truncated") == 0;
    Level now = {.end = ends ? limit : UNBOUNDED, .bound = UNBOUNDED, .last = -1, .index = -1,
                 .explicit = explicit};
    Level stack[2 * DEPTH_CAP];
    int depth = 0;
    Offset cap = limit;
    for (;;) {
        const char *word = "too-many-elements";
        if (!pass->steps)
            goto broken;
        pass->steps--;
        if (position >= now.end) {
            if (!depth)
                return (Ended){position, ""};
            now = stack[--depth];
            cap = nearer(now.bound, limit);
            continue;
        }
        Offset value = position + 8, stop;
        if (value > limit) {
            word = lacking(pass, position);
            goto broken;
        }
        uint32_t tag = tag_at(pass, position), group = tag >> 16, length;
        int vr = NO_VR, form = LONG;
        if (now.explicit && !now.items) {
            vr = letters(pass->data + position + 4);
            form = form_of(pass, vr);
            length = two(pass, position + 6);
        } else {
            length = four(pass, position + 4);
            if (!now.items) {
                vr = implicit_vr(pass, tag);
                if (length != UNDEFINED && !is_sequence(vr))
                    form = PLAIN;
            }
        }
        if ((long)group >= until) {
            if (!depth && (until < (long)PIXEL_GROUP || group == PIXEL_GROUP))
                return (Ended){position, ""};
            if (tag == (now.items ? SEQUENCE_END : ITEM_END) && now.end == UNBOUNDED && depth) {
                if ((word = need(pass, value, now.bound)))
                    goto broken;
                if (four(pass, position + 4))
                    pass->notes |= DELIMITER_LENGTH;
                pass->spans[now.index].end = value;
                now = stack[--depth];
                cap = nearer(now.bound, limit);
                position = value;
                continue;
            }
        }
        bool opens = false, inner = now.explicit, guess = false;
        if (now.items) {
            if (tag != ITEM) {
                word = "no-item";
                goto broken;
            }
            stop = length == UNDEFINED ? UNBOUNDED : value + length;
            if (length != UNDEFINED && stop > cap && (word = need(pass, stop, now.bound)))
                goto broken;
        } else {
            if ((group >= ITEM_GROUP || form == ODD) &&
                (word = odd(pass, tag, vr, position, now.explicit)))
                goto broken;
            if (form == LONG && now.explicit) {
                if (length)
                    pass->notes |= RESERVED;
                if (value + 4 > limit) {
                    word = lacking(pass, position);
                    goto broken;
                }
                length = four(pass, value);
                value = position + 12;
                if (length != UNDEFINED && !is_sequence(vr))
                    form = PLAIN;
            }
            if (tag <= now.last)
                pass->notes |= ORDER;
            now.last = tag;
            stop = value + length;
            inner = now.explicit && vr == SQ;
            if (form == LONG && length == UNDEFINED) {
                opens = is_sequence(vr);
                stop = UNBOUNDED;
                word = vr == OB || vr == OW ? fragments(pass, value, now.bound, &stop)
                                            : "undefined-length";
                if (!opens && word)
                    goto broken;
            } else {
                if (stop > cap && (word = need(pass, stop, now.bound)))
                    goto broken;
                guess = form == LONG && vr == UN && length >= LEAST && tag_at(pass, value) == ITEM;
                opens = guess || (form == LONG && vr == SQ && !only);
                for (int64_t n = 0; form == LONG && vr == SQ && n < only_count; n++)
                    opens = opens || only[n] == tag;
            }
            if (!opens) {
                if (!add(pass, tag, vr, position, value, stop, now.explicit))
                    return (Ended){position, NULL};
                position = stop;
                continue;
            }
        }
        word = "too-deep";
        if (depth >= 2 * DEPTH_CAP)
            goto broken;
        stack[depth++] = now;
        if (!add(pass, tag, vr, position, value, stop, now.explicit))
            return (Ended){position, NULL};
        now = (Level){.end = stop, .bound = stop == UNBOUNDED ? now.bound : stop, .last = -1,
                      .index = pass->count - 1, .mark = pass->notes, .marked = guess,
                      .explicit = inner, .items = opens};
        cap = nearer(now.bound, limit);
        position = value;
        continue;
    broken:
        while (depth && (!now.marked || is_short(word))) {
            if (depth == 1) {
                pass->count = now.index;
                return (Ended){position, word};
            }
            now = stack[--depth];
        }
        if (!now.marked)
            return (Ended){position, word};
        /* A value that only looked like a sequence: it is a plain one. */
        pass->notes = now.mark;
        pass->count = now.index + 1;
        position = now.end;
        now = stack[--depth];
        cap = nearer(now.bound, limit);
    }
}
