/* Reading an instance from a payload of the Binary Protocol.
 *
 * Twins: tchannel_thrift.rw.codegen.decoder, and for fields that are unknown or in another order
 * StructTypeSpec.resume and BinaryReader.skip. What the values come to is counted for every payload,
 * as Budget counts it; the Python way knows which payloads need that.
 */

#include "thrift.h"

struct in {
    const uint8_t *at, *end;
    Py_ssize_t depth; /* levels that may still be nested, by the protocol's limit */
    int level;        /* and those that the C stack holds */
    int64_t objects, size, skipped;
};

/* Elements of containers that were made before their elements are there: as many as are claimed, if
 * they are few; the list grows with the others. */
#define FIRST_ELEMENTS 64

/* tchannel_thrift.rw.protocol.budget: BYTES_PER_OBJECT, SIZE_PER_BYTE, DEFAULT_MAX_OBJECTS. */
#define BYTES_PER_OBJECT 4
#define SIZE_PER_BYTE 32
#define MAX_SKIPPED 1000000

static PyObject *read_value(struct in *in, const struct node *node);
static PyObject *read_struct(struct in *in, const Plan *plan);

/* Twin: Budget.take. */
static inline int
take(struct in *in, int64_t objects, int64_t size)
{
    in->objects -= objects;
    in->size -= size;
    return in->objects < 0 || in->size < 0 ? -1 : 0;
}

static inline Py_ssize_t
left(const struct in *in)
{
    return in->end - in->at;
}

/* A length or count, of which each takes so many bytes; -1 if there are not as many. */
static inline Py_ssize_t
read_count(struct in *in, int least)
{
    if (left(in) < 4)
        return -1;
    int64_t count = (int32_t)get32(in->at);
    in->at += 4;
    return count < 0 || count * least > left(in) ? -1 : (Py_ssize_t)count;
}

/* ---- passing over --------------------------------------------------------------------------- */

/* Twin: tchannel_thrift.rw.wire.ttype.FIXED_SIZES; 0 where they differ. */
static int
fixed_size(uint8_t code)
{
    switch (code) {
    case CODE_BOOL:
    case CODE_BYTE:
        return 1;
    case CODE_I16:
        return 2;
    case CODE_I32:
        return 4;
    case CODE_I64:
    case CODE_DOUBLE:
        return 8;
    case CODE_UUID:
        return 16;
    default:
        return 0;
    }
}

/* Twin: tchannel_thrift.rw.wire.ttype.MINIMUM_SIZES; 0 for what is no type. */
static int
minimum_size(uint8_t code)
{
    switch (code) {
    case CODE_BINARY:
        return 4;
    case CODE_STRUCT:
        return 1;
    case CODE_MAP:
        return 6;
    case CODE_SET:
    case CODE_LIST:
        return 5;
    default:
        return fixed_size(code);
    }
}

static inline int
is_nesting(uint8_t code)
{
    return code >= CODE_STRUCT && code <= CODE_LIST;
}

static int skip(struct in *in, uint8_t code);

/* Twin: BinaryReader._skip_elements, after a container's element types. */
static int
skip_elements(struct in *in, const uint8_t *codes, int kinds)
{
    Py_ssize_t count = read_count(in, 0);
    if (count <= 0)
        return (int)count;
    int least = 0, fixed = 0, nesting = 0;
    for (int i = 0; i < kinds; i++) {
        int size = minimum_size(codes[i]);
        if (size == 0)
            return -1;
        least += size;
        fixed += fixed_size(codes[i]) != 0;
        nesting |= is_nesting(codes[i]);
    }
    if ((int64_t)count * least > left(in))
        return -1;
    if (fixed == kinds) {
        in->at += count * least;
        return 0;
    }
    if (nesting) {
        /* The Python way counts these by limits of its own, where it counts nothing else. */
        in->skipped -= count;
        if (in->skipped < 0 || take(in, count, 0) < 0)
            return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        for (int kind = 0; kind < kinds; kind++)
            if (skip(in, codes[kind]) < 0)
                return -1;
    return 0;
}

/* Twin: BinaryReader._skip_nested */
static int
skip_nested(struct in *in, uint8_t code)
{
    uint8_t codes[2];
    switch (code) {
    case CODE_STRUCT:
        for (;;) {
            if (left(in) < 1)
                return -1;
            uint8_t field = *in->at;
            if (field == 0) {
                in->at++;
                return 0;
            }
            if (left(in) < 3)
                return -1;
            in->at += 3;
            if (skip(in, field) < 0)
                return -1;
        }
    case CODE_LIST:
    case CODE_SET:
        if (left(in) < 5)
            return -1;
        codes[0] = *in->at++;
        return skip_elements(in, codes, 1);
    case CODE_MAP:
        if (left(in) < 6)
            return -1;
        codes[0] = *in->at++;
        codes[1] = *in->at++;
        return skip_elements(in, codes, 2);
    default:
        return -1;
    }
}

/* Twin: BinaryReader.skip */
static int
skip(struct in *in, uint8_t code)
{
    int size = fixed_size(code);
    if (size != 0) {
        if (left(in) < size)
            return -1;
        in->at += size;
        return 0;
    }
    if (code == CODE_BINARY) {
        Py_ssize_t length = read_count(in, 1);
        if (length < 0)
            return -1;
        in->at += length;
        return 0;
    }
    if (in->depth <= 0 || in->level >= MAX_LEVELS)
        return -1;
    in->depth--;
    in->level++;
    int done = skip_nested(in, code);
    in->depth++;
    in->level--;
    return done;
}

/* ---- values --------------------------------------------------------------------------------- */

/* A value as it can be an element of a set or a key of a map; takes the reference over. */
static inline PyObject *
frozen(const struct node *node, PyObject *value)
{
    if (node->reads == NULL || value == NULL)
        return value;
    PyObject *made = PyObject_CallOneArg(node->reads, value);
    Py_DECREF(value);
    return made;
}

static PyObject *
read_list(struct in *in, const struct node *node)
{
    if (left(in) < 5)
        return NULL;
    uint8_t code = *in->at++;
    Py_ssize_t count = read_count(in, node->item->least);
    /* Some writers give no element type where there are no elements. */
    if (count < 0 || (count > 0 && code != node->item->code))
        return NULL;
    if (take(in, 1, node->own + count * node->each) < 0)
        return NULL;
    Py_ssize_t first = count < FIRST_ELEMENTS ? count : FIRST_ELEMENTS;
    PyObject *list = PyList_New(first);
    if (list == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = read_value(in, node->item);
        if (item == NULL)
            goto failed;
        if (i < first) {
            PyList_SET_ITEM(list, i, item);
            continue;
        }
        int bad = PyList_Append(list, item);
        Py_DECREF(item);
        if (bad < 0)
            goto failed;
    }
    return list;
failed:
    Py_DECREF(list);
    return NULL;
}

static PyObject *
read_set(struct in *in, const struct node *node)
{
    if (left(in) < 5)
        return NULL;
    uint8_t code = *in->at++;
    Py_ssize_t count = read_count(in, node->item->least);
    if (count < 0 || (count > 0 && code != node->item->code))
        return NULL;
    if (take(in, 1, node->own + count * node->each) < 0)
        return NULL;
    PyObject *set = PySet_New(NULL);
    if (set == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = frozen(node, read_value(in, node->item));
        int bad = item == NULL ? -1 : PySet_Add(set, item);
        Py_XDECREF(item);
        if (bad < 0) {
            Py_DECREF(set);
            return NULL;
        }
    }
    return set;
}

static PyObject *
read_map(struct in *in, const struct node *node)
{
    if (left(in) < 6)
        return NULL;
    uint8_t key_code = in->at[0], value_code = in->at[1];
    in->at += 2;
    Py_ssize_t count = read_count(in, node->item->least + node->value->least);
    if (count < 0 || (count > 0 && (key_code != node->item->code || value_code != node->value->code)))
        return NULL;
    if (take(in, 1, node->own + count * node->each) < 0)
        return NULL;
    PyObject *map = PyDict_New();
    if (map == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *key = frozen(node, read_value(in, node->item));
        PyObject *value = key == NULL ? NULL : read_value(in, node->value);
        int bad = value == NULL ? -1 : PyDict_SetItem(map, key, value);
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (bad < 0) {
            Py_DECREF(map);
            return NULL;
        }
    }
    return map;
}

/* Twin: EnumTypeSpec.value_of */
static PyObject *
member_of(const struct node *node, int32_t value)
{
    PyObject *number = PyLong_FromLong(value);
    if (number == NULL)
        return NULL;
    PyObject *member = PyDict_GetItemWithError(node->reads, number);
    if (member == NULL)
        return PyErr_Occurred() ? (Py_DECREF(number), NULL) : number;
    Py_INCREF(member);
    Py_DECREF(number);
    return member;
}

static PyObject *
read_uuid(const struct node *node, const uint8_t *at)
{
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)at, 16);
    if (bytes == NULL)
        return NULL;
    PyObject *made = PyObject_CallOneArg(node->reads, bytes);
    Py_DECREF(bytes);
    return made;
}

static PyObject *
read_value(struct in *in, const struct node *node)
{
    if (left(in) < node->least)
        return NULL;
    const uint8_t *at = in->at;
    Py_ssize_t length;
    uint64_t bits;
    double number;
    switch (node->kind) {
    case KIND_BOOL:
        in->at += 1;
        return Py_NewRef(*at ? Py_True : Py_False);
    case KIND_BYTE:
        in->at += 1;
        return PyLong_FromLong((int8_t)*at);
    case KIND_I16:
        in->at += 2;
        return PyLong_FromLong((int16_t)get16(at));
    case KIND_I32:
        in->at += 4;
        return PyLong_FromLong((int32_t)get32(at));
    case KIND_ENUM:
        in->at += 4;
        return member_of(node, (int32_t)get32(at));
    case KIND_I64:
        in->at += 8;
        return PyLong_FromLongLong(get64(at));
    case KIND_DOUBLE:
        in->at += 8;
        bits = (uint64_t)get64(at);
        memcpy(&number, &bits, sizeof number);
        return PyFloat_FromDouble(number);
    case KIND_TEXT:
    case KIND_BINARY:
        if ((length = read_count(in, 1)) < 0)
            return NULL;
        at = in->at;
        in->at += length;
        return node->kind == KIND_TEXT ? PyUnicode_DecodeUTF8((const char *)at, length, NULL)
                                       : PyBytes_FromStringAndSize((const char *)at, length);
    case KIND_UUID:
        in->at += 16;
        return read_uuid(node, at);
    default:
        break;
    }
    if (in->level >= MAX_LEVELS)
        return NULL;
    PyObject *value = NULL;
    in->level++;
    if (node->kind == KIND_STRUCT) {
        if (in->depth > 0) {
            in->depth--;
            value = read_struct(in, (const Plan *)node->plan);
            in->depth++;
        }
    } else if (node->kind == KIND_MAP) {
        value = read_map(in, node);
    } else if (node->kind == KIND_SET) {
        value = read_set(in, node);
    } else {
        value = read_list(in, node);
    }
    in->level--;
    return value;
}

/* ---- structs -------------------------------------------------------------------------------- */

/* The place of the field with an id, or -1. */
static Py_ssize_t
find_field(const Plan *plan, int id)
{
    Py_ssize_t low = 0, high = plan->count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (plan->fields[plan->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->count && plan->fields[plan->by_id[low]].id == id ? plan->by_id[low] : -1;
}

/* Puts what is there for each field into its slot. */
static int
read_fields(struct in *in, const Plan *plan, PyObject *instance)
{
    Py_ssize_t next = 0;
    for (;;) {
        if (left(in) < 1)
            return -1;
        uint8_t code = *in->at;
        if (code == 0) {
            in->at++;
            return 0;
        }
        if (left(in) < 3)
            return -1;
        Py_ssize_t place = next;
        if (next >= plan->count || memcmp(in->at, plan->fields[next].head, 3) != 0)
            place = find_field(plan, (int16_t)get16(in->at + 1));
        in->at += 3;
        if (place < 0 || plan->fields[place].head[0] != code) {
            /* Twin: StructTypeSpec.skip_unknown; results of functions have another. */
            if (!plan->may_skip || skip(in, code) < 0)
                return -1;
            continue;
        }
        PyObject *value = read_value(in, plan->fields[place].node);
        if (value == NULL)
            return -1;
        set_slot(instance, plan->fields[place].offset, value); /* the last one counts */
        next = place + 1;
    }
}

/* Twin: StructTypeSpec.assemble, and that of UnionTypeSpec */
static int
complete(const Plan *plan, PyObject *instance)
{
    int given = 0;
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        const struct field *field = &plan->fields[i];
        if (SLOT(instance, field->offset) != NULL) {
            given++;
            continue;
        }
        if (plan->is_union) {
            set_slot(instance, field->offset, Py_NewRef(Py_None));
            continue;
        }
        if (field->must)
            return -1;
        PyObject *value = default_of(plan, field);
        if (value == NULL)
            return -1;
        set_slot(instance, field->offset, value);
    }
    if (!plan->is_union)
        return 0;
    return given == 1 || (given == 0 && plan->allow_empty && !plan->has_default) ? 0 : -1;
}

static PyObject *
read_struct(struct in *in, const Plan *plan)
{
    if (!plan->ready || plan->surface->tp_new != plan->made_by || take(in, 1, plan->weight) < 0)
        return NULL;
    PyObject *instance = new_of(plan);
    if (instance == NULL)
        return NULL;
    if (read_fields(in, plan, instance) == 0 && complete(plan, instance) == 0)
        return instance;
    Py_DECREF(instance);
    return NULL;
}

PyObject *
thrift_load(const Plan *plan, PyObject *payload, Py_ssize_t depth, const struct limits *limits)
{
    Py_ssize_t size = PyBytes_GET_SIZE(payload);
    struct in in;
    in.at = (const uint8_t *)PyBytes_AS_STRING(payload);
    in.end = in.at + size;
    in.depth = depth;
    in.level = 0;
    in.objects = limits->max_objects + size / BYTES_PER_OBJECT;
    in.size = limits->max_decoded_size + (int64_t)size * SIZE_PER_BYTE;
    in.skipped = MAX_SKIPPED + size / BYTES_PER_OBJECT;
    return read_struct(&in, plan);
}
