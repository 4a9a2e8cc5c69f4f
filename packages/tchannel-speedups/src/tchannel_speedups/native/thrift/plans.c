/* Plans: what is known of a struct, from its spec in tchannel_thrift.rw. */

#include "thrift.h"

/* ---- nodes ---------------------------------------------------------------------------------- */

static void
free_node(struct node *node)
{
    if (node == NULL)
        return;
    free_node(node->item);
    free_node(node->value);
    Py_XDECREF(node->plan);
    Py_XDECREF(node->type);
    Py_XDECREF(node->reads);
    Py_XDECREF(node->writes);
    PyMem_Free(node);
}

static int
visit_node(const struct node *node, visitproc visit, void *arg)
{
    if (node == NULL)
        return 0;
    Py_VISIT(node->plan);
    Py_VISIT(node->type);
    Py_VISIT(node->reads);
    Py_VISIT(node->writes);
    int stop = visit_node(node->item, visit, arg);
    return stop ? stop : visit_node(node->value, visit, arg);
}

/* Twin: tchannel_thrift.rw.wire.ttype.MINIMUM_SIZES. */
static int
least_of(char kind)
{
    switch (kind) {
    case KIND_BOOL:
    case KIND_BYTE:
    case KIND_STRUCT:
        return 1;
    case KIND_I16:
        return 2;
    case KIND_I32:
    case KIND_ENUM:
    case KIND_TEXT:
    case KIND_BINARY:
        return 4;
    case KIND_LIST:
    case KIND_SET:
        return 5;
    case KIND_MAP:
        return 6;
    case KIND_I64:
    case KIND_DOUBLE:
        return 8;
    case KIND_UUID:
        return 16;
    default:
        return 0;
    }
}

/* None is left out. */
static PyObject *
kept(PyObject *object)
{
    return object == Py_None ? NULL : Py_NewRef(object);
}

/* Of (kind, code, item, value, plan, type, reads, writes, own, each). */
static struct node *
node_of(PyObject *module, PyObject *described)
{
    const char *kind;
    unsigned char code;
    PyObject *item, *value, *plan, *type, *reads, *writes;
    long long own, each;
    if (!PyTuple_Check(described)) {
        PyErr_SetString(PyExc_TypeError, "a type is described by a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(described, "sbOOOOOOLL", &kind, &code, &item, &value, &plan, &type, &reads,
            &writes, &own, &each))
        return NULL;
    struct node *node = PyMem_Calloc(1, sizeof *node);
    if (node == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    node->kind = kind[0];
    node->code = code;
    node->least = (uint8_t)least_of(kind[0]);
    node->own = own;
    node->each = each;
    node->plan = kept(plan);
    node->type = kept(type);
    node->reads = kept(reads);
    node->writes = kept(writes);
    if (item != Py_None && (node->item = node_of(module, item)) == NULL)
        goto failed;
    if (value != Py_None && (node->value = node_of(module, value)) == NULL)
        goto failed;
    int whole;
    switch (node->kind) {
    case KIND_STRUCT:
        whole = node->plan != NULL && Py_IS_TYPE(node->plan, module_state(module)->plan);
        break;
    case KIND_LIST:
    case KIND_SET:
        whole = node->item != NULL;
        break;
    case KIND_MAP:
        whole = node->item != NULL && node->value != NULL;
        break;
    case KIND_ENUM:
        whole = node->type != NULL && node->reads != NULL && PyDict_CheckExact(node->reads);
        break;
    case KIND_UUID:
        whole = node->type != NULL && node->reads != NULL && node->writes != NULL;
        break;
    default:
        whole = node->least > 0;
    }
    if (whole)
        return node;
    PyErr_Format(PyExc_TypeError, "%R describes no type", described);
failed:
    free_node(node);
    return NULL;
}

/* ---- the type of plans ---------------------------------------------------------------------- */

static int
traverse(PyObject *self, visitproc visit, void *arg)
{
    Plan *plan = (Plan *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(plan->surface);
    Py_VISIT(plan->copy);
    for (Py_ssize_t i = 0; i < plan->count; i++) {
        Py_VISIT(plan->fields[i].default_value);
        int stop = visit_node(plan->fields[i].node, visit, arg);
        if (stop)
            return stop;
    }
    return 0;
}

/* Nothing of it is used any more: whoever still has it finds that it is not ready, before all else. */
static void
empty(Plan *plan)
{
    struct field *fields = plan->fields;
    Py_ssize_t count = plan->count;
    plan->ready = 0;
    plan->fields = NULL;
    plan->count = 0;
    PyMem_Free(plan->by_id);
    PyMem_Free(plan->order);
    plan->by_id = plan->order = NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(fields[i].name);
        Py_XDECREF(fields[i].default_value);
        free_node(fields[i].node);
    }
    PyMem_Free(fields);
    Py_CLEAR(plan->surface);
    Py_CLEAR(plan->copy);
}

static int
clear(PyObject *self)
{
    empty((Plan *)self);
    return 0;
}

static void
dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    empty((Plan *)self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot plan_slots[] = {
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {0, NULL},
};

static PyType_Spec plan_spec = {
    .name = "tchannel_speedups._native.Plan",
    .basicsize = sizeof(Plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = plan_slots,
};

PyObject *
thrift_new_plan(PyObject *module, PyObject *nothing)
{
    (void)nothing;
    return new_instance(module_state(module)->plan);
}

/* ---- filling -------------------------------------------------------------------------------- */

static int
compare_ids(const Plan *plan, Py_ssize_t one, Py_ssize_t other)
{
    return plan->fields[one].id < plan->fields[other].id;
}

/* Of (head, name, required, must, default, fresh, node). -1: it has no slot, or is described wrongly. */
static int
fill_field(PyObject *module, PyTypeObject *surface, struct field *field, PyObject *described)
{
    const char *head;
    Py_ssize_t size;
    PyObject *name, *default_value, *node;
    int required, must, fresh;
    if (!PyTuple_Check(described)) {
        PyErr_SetString(PyExc_TypeError, "a field is described by a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(described, "y#UppOpO", &head, &size, &name, &required, &must,
            &default_value, &fresh, &node))
        return -1;
    if (size != 3) {
        PyErr_SetString(PyExc_TypeError, "the head of a field has three bytes");
        return -1;
    }
    memcpy(field->head, head, 3);
    field->id = (int16_t)get16(field->head + 1);
    field->required = (char)required;
    field->must = (char)must;
    field->fresh = (char)fresh;
    field->default_value = Py_NewRef(default_value);
    field->name = Py_NewRef(name);
    if (PyUnicode_CheckExact(name))
        PyUnicode_InternInPlace(&field->name); /* as the names of arguments are: found by identity */
    if ((field->node = node_of(module, node)) == NULL)
        return -1;
    PyObject *slot = PyObject_GetAttr((PyObject *)surface, name);
    if (slot == NULL)
        return -1;
    int found = Py_IS_TYPE(slot, &PyMemberDescr_Type)
        && ((PyMemberDescrObject *)slot)->d_common.d_type == surface
        && ((PyMemberDescrObject *)slot)->d_member->type == T_OBJECT_EX;
    if (found)
        field->offset = ((PyMemberDescrObject *)slot)->d_member->offset;
    else
        PyErr_Format(PyExc_TypeError, "%U of %R is no slot", name, surface);
    Py_DECREF(slot);
    return found ? 0 : -1;
}

/* fill_plan(plan, surface, copy, weight, is_union, allow_empty, may_skip, is_exception, fields) */
PyObject *
thrift_fill_plan(PyObject *module, PyObject *arguments)
{
    Plan *plan;
    PyTypeObject *surface;
    PyObject *copy, *fields;
    long long weight;
    int is_union, allow_empty, may_skip, is_exception;
    if (!PyArg_ParseTuple(arguments, "O!O!OLppppO!:fill_plan", module_state(module)->plan, &plan,
            &PyType_Type, &surface, &copy, &weight, &is_union, &allow_empty, &may_skip, &is_exception,
            &PyList_Type, &fields))
        return NULL;
    if (plan->surface != NULL)
        return PyErr_Format(PyExc_TypeError, "a plan is filled once");
    Py_ssize_t count = PyList_GET_SIZE(fields);
    plan->fields = PyMem_Calloc((size_t)count + 1, sizeof *plan->fields);
    plan->by_id = PyMem_Calloc((size_t)count + 1, sizeof *plan->by_id);
    plan->order = PyMem_Calloc((size_t)count + 1, sizeof *plan->order);
    if (plan->fields == NULL || plan->by_id == NULL || plan->order == NULL) {
        empty(plan);
        return PyErr_NoMemory();
    }
    plan->surface = (PyTypeObject *)Py_NewRef(surface);
    plan->made_by = surface->tp_new;
    plan->copy = Py_NewRef(copy);
    plan->weight = weight;
    plan->is_union = (char)is_union;
    plan->allow_empty = (char)allow_empty;
    plan->may_skip = (char)may_skip;
    plan->is_exception = (char)is_exception;
    for (Py_ssize_t i = 0; i < count; i++) {
        struct field *field = &plan->fields[i];
        plan->count = i + 1; /* what it has so far is freed */
        if (fill_field(module, surface, field, PyList_GET_ITEM(fields, i)) < 0) {
            empty(plan);
            return NULL;
        }
        plan->has_default |= field->default_value != Py_None;
        Py_ssize_t at = i; /* sorted in: files have their fields in this order mostly */
        for (; at > 0 && compare_ids(plan, i, plan->by_id[at - 1]); at--)
            plan->by_id[at] = plan->by_id[at - 1];
        plan->by_id[at] = i;
    }
    Py_ssize_t place = 0;
    for (int must = 1; must >= 0; must--)
        for (Py_ssize_t i = 0; i < count; i++)
            if (plan->fields[i].must == must)
                plan->order[place++] = i;
    plan->ready = 1;
    Py_RETURN_NONE;
}

/* ---- instances ------------------------------------------------------------------------------ */

/* Twins: object.__new__ and tchannel_thrift.rw.codegen.record.ExceptionRecord.__new__ */
PyObject *
new_of(const Plan *plan)
{
    if (!plan->is_exception)
        return new_instance(plan->surface);
    PyObject *nothing = PyTuple_New(0);
    if (nothing == NULL)
        return NULL;
    PyObject *made = ((PyTypeObject *)PyExc_Exception)->tp_new(plan->surface, nothing, NULL);
    Py_DECREF(nothing);
    return made;
}

PyObject *
default_of(const Plan *plan, const struct field *field)
{
    PyObject *value = field->default_value;
    if (!field->fresh)
        return Py_NewRef(value);
    if (PyList_CheckExact(value) && PyList_GET_SIZE(value) == 0)
        return PyList_New(0);
    if (PyDict_CheckExact(value) && PyDict_GET_SIZE(value) == 0)
        return PyDict_New();
    return PyObject_CallOneArg(plan->copy, value);
}

int
may_be_retried(void)
{
    if (PyErr_Occurred() == NULL)
        return 1;
    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError))
        return 0;
    PyErr_Clear();
    return 1;
}

/* ---- codecs: what stands for the generated functions ---------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *plan;
    PyObject *make; /* makes the Python function, when it is first needed */
    PyObject *twin;
    struct limits limits;
} Codec;

static int
traverse_codec(PyObject *self, visitproc visit, void *arg)
{
    Codec *codec = (Codec *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(codec->plan);
    Py_VISIT(codec->make);
    Py_VISIT(codec->twin);
    return 0;
}

static void
dealloc_codec(PyObject *self)
{
    Codec *codec = (Codec *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(codec->plan);
    Py_CLEAR(codec->make);
    Py_CLEAR(codec->twin);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Does what was asked for by the Python function. */
static PyObject *
by_twin(Codec *codec, PyObject *const *args, Py_ssize_t count)
{
    if (codec->twin == NULL) {
        PyObject *twin = PyObject_CallNoArgs(codec->make);
        if (twin == NULL)
            return NULL;
        Py_XSETREF(codec->twin, twin);
    }
    PyObject *twin = Py_NewRef(codec->twin);
    PyObject *result = PyObject_Vectorcall(twin, args, (size_t)count, NULL);
    Py_DECREF(twin);
    return result;
}

/* Twin: what tchannel_thrift.rw.codegen.encoder.dumper_of generates. */
static PyObject *
codec_dump(PyObject *self, PyObject *instance)
{
    Codec *codec = (Codec *)self;
    PyObject *payload = thrift_dump((Plan *)codec->plan, instance);
    if (payload != NULL || !may_be_retried())
        return payload;
    return by_twin(codec, &instance, 1);
}

/* Twin: what tchannel_thrift.rw.codegen.decoder.loader_of generates. */
static PyObject *
codec_load(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Codec *codec = (Codec *)self;
    if (count == 2 && PyBytes_CheckExact(args[0]) && PyLong_CheckExact(args[1])) {
        Py_ssize_t depth = PyLong_AsSsize_t(args[1]);
        if (depth != -1 || !PyErr_Occurred()) {
            PyObject *made = thrift_load((Plan *)codec->plan, args[0], depth, &codec->limits);
            if (made != NULL)
                return made;
        }
        if (!may_be_retried())
            return NULL;
    }
    return by_twin(codec, args, count);
}

static PyMethodDef codec_methods[] = {
    {"dump", codec_dump, METH_O, NULL},
    {"load", (PyCFunction)(void (*)(void))codec_load, METH_FASTCALL, NULL},
    {0},
};

static PyType_Slot codec_slots[] = {
    {Py_tp_dealloc, dealloc_codec},
    {Py_tp_traverse, traverse_codec},
    {Py_tp_methods, codec_methods},
    {0, NULL},
};

static PyType_Spec codec_spec = {
    .name = "tchannel_speedups._native.Codec",
    .basicsize = sizeof(Codec),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = codec_slots,
};

/* codec(plan, make, max_objects, max_decoded_size) */
PyObject *
thrift_codec(PyObject *module, PyObject *arguments)
{
    PyObject *plan, *make;
    long long max_objects, max_decoded_size;
    if (!PyArg_ParseTuple(arguments, "O!OLL:codec", module_state(module)->plan, &plan, &make,
            &max_objects, &max_decoded_size))
        return NULL;
    PyObject *self = new_instance(module_state(module)->codec);
    if (self == NULL)
        return NULL;
    Codec *codec = (Codec *)self;
    codec->plan = Py_NewRef(plan);
    codec->make = Py_NewRef(make);
    codec->limits = (struct limits){max_objects, max_decoded_size};
    return self;
}

int
add_thrift_types(PyObject *module)
{
    struct module_state *state = module_state(module);
    state->plan = (PyTypeObject *)PyType_FromModuleAndSpec(module, &plan_spec, NULL);
    state->codec = (PyTypeObject *)PyType_FromModuleAndSpec(module, &codec_spec, NULL);
    return state->plan == NULL || state->codec == NULL ? -1 : remember_names();
}
