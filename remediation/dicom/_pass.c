/* The compiled pass as Python has it: `meta` and `data_set` of `_pass.h`, spans as tuples.

   Both return (spans, position, error), and add to the set of notes that they are given. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_pass.h"

static const char *const NOTES[] = {
    "unknown-vr", "reserved", "order", "delimiter-length", "implicit-meta"};

typedef struct {
    PyObject *names[VRS + 1]; /* of each VR its bytes, one object for all spans */
    Dictionary dictionary;
} State;

static PyObject *listed(const State *state, const Pass *pass)
{
    PyObject *list = PyList_New((Py_ssize_t)pass->count), *last = NULL;
    Offset end = -1; /* `last` is the number of it: most spans begin where one ends */
    for (Py_ssize_t n = 0; list && n < pass->count; n++) {
        const Span *span = pass->spans + n;
        PyObject *made = PyTuple_New(6);
        if (!made) {
            Py_CLEAR(list);
            break;
        }
        PyObject *start = span->start == end ? Py_NewRef(last) : PyLong_FromLongLong(span->start);
        last = PyLong_FromLongLong(span->end);
        end = span->end;
        PyTuple_SET_ITEM(made, 0, PyLong_FromUnsignedLong(span->tag));
        PyTuple_SET_ITEM(made, 1, Py_NewRef(state->names[span->vr]));
        PyTuple_SET_ITEM(made, 2, start);
        PyTuple_SET_ITEM(made, 3, PyLong_FromLongLong(span->value));
        PyTuple_SET_ITEM(made, 4, last);
        PyTuple_SET_ITEM(made, 5, Py_NewRef(span->explicit ? Py_True : Py_False));
        PyObject_GC_UnTrack(made); /* as the collector does with tuples of plain values */
        PyList_SET_ITEM(list, n, made);
        if (!PyTuple_GET_ITEM(made, 0) || !start || !PyTuple_GET_ITEM(made, 3) || !last)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *result(const State *state, const Pass *pass, Ended ended, PyObject *notes)
{
    PyObject *list = ended.error ? listed(state, pass) : PyErr_NoMemory();
    for (unsigned bit = 0; list && pass->notes >> bit; bit++) {
        if (!(pass->notes >> bit & 1))
            continue;
        PyObject *note = PyUnicode_FromString(NOTES[bit]);
        if (!note || PySet_Add(notes, note) < 0)
            Py_CLEAR(list);
        Py_XDECREF(note);
    }
    return list ? Py_BuildValue("NLs", list, (long long)ended.position, ended.error) : NULL;
}

/* Return the tags to open as an array; NULL for all of them, or with an exception set. */
static uint32_t *tags_of(PyObject *only, int64_t *count)
{
    PyObject *each = only == Py_None ? NULL : PySequence_Fast(only, "no tags");
    if (!each)
        return NULL;
    *count = PySequence_Fast_GET_SIZE(each);
    uint32_t *tags = PyMem_Calloc((size_t)*count + 1, sizeof(uint32_t));
    if (!tags)
        PyErr_NoMemory();
    for (Py_ssize_t n = 0; tags && n < *count; n++) {
        tags[n] = (uint32_t)PyLong_AsUnsignedLong(PySequence_Fast_GET_ITEM(each, n));
        if (PyErr_Occurred()) {
            PyMem_Free(tags);
            tags = NULL;
        }
    }
    Py_DECREF(each);
    return tags;
}

/* Read with the arguments of both; those of `data_set` alone are NULL for `meta`. */
static PyObject *read_with(PyObject *module, PyObject *arguments, bool in_meta)
{
    State *state = PyModule_GetState(module);
    Py_buffer view;
    PyObject *notes, *only = Py_None, *found = NULL;
    const char *missing;
    long long total, position;
    int little, explicit = 1;
    long until = 0;
    if (!PyArg_ParseTuple(arguments, in_meta ? "y*psLO!L" : "y*psLO!LplO", &view, &little,
                          &missing, &total, &PySet_Type, &notes, &position, &explicit, &until,
                          &only))
        return NULL;
    int64_t count = 0;
    uint32_t *tags = tags_of(only, &count);
    if (position < 0 || position >= FURTHEST || view.len >= FURTHEST)
        PyErr_SetString(PyExc_ValueError, "no such offset");
    if (!PyErr_Occurred()) {
        Pass pass = {.dictionary = &state->dictionary, .data = view.buf, .limit = view.len,
                     .total = total, .missing = missing, .little = little, .steps = STEP_CAP};
        Ended ended = in_meta ? meta(&pass, position)
                              : data_set(&pass, position, explicit, until, tags, count);
        found = result(state, &pass, ended, notes);
        free(pass.spans);
    }
    PyMem_Free(tags);
    PyBuffer_Release(&view);
    return found;
}

static PyObject *py_meta(PyObject *module, PyObject *arguments)
{
    return read_with(module, arguments, true);
}

static PyObject *py_data_set(PyObject *module, PyObject *arguments)
{
    return read_with(module, arguments, false);
}

static int note_down(PyObject *list, Py_ssize_t number)
{
    PyObject *made = PyLong_FromSsize_t(number);
    int failed = made ? PyList_Append(list, made) : -1;
    Py_XDECREF(made);
    return failed;
}

/* Look at one span: is it at the top, an identifier, a text that may hold a number? */
static int look(PyObject *span, Py_ssize_t number, PyObject *found, PyObject *const *wanted,
                long long least, long long *end)
{
    if (!PyTuple_Check(span) || PyTuple_GET_SIZE(span) != 6) {
        PyErr_SetString(PyExc_TypeError, "no span");
        return -1;
    }
    PyObject *tag = PyTuple_GET_ITEM(span, 0);
    long long start = PyLong_AsLongLong(PyTuple_GET_ITEM(span, 2));
    long long value = PyLong_AsLongLong(PyTuple_GET_ITEM(span, 3));
    long long after = PyLong_AsLongLong(PyTuple_GET_ITEM(span, 4));
    if (PyErr_Occurred())
        return -1;
    if (start >= *end) {
        if (!PyDict_SetDefault(PyTuple_GET_ITEM(found, 0), tag, span))
            return -1;
        *end = after;
    }
    int named = PySet_Contains(wanted[0], tag);
    int text = after - value < least ? 0 : PySet_Contains(wanted[1], PyTuple_GET_ITEM(span, 1));
    if (named < 0 || text < 0)
        return -1;
    if (named && note_down(PyTuple_GET_ITEM(found, 1), number) < 0)
        return -1;
    return text ? note_down(PyTuple_GET_ITEM(found, 2), number) : 0;
}

static PyObject *py_index(PyObject *module, PyObject *arguments)
{
    PyObject *spans, *wanted[2];
    long long least, end = -1;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!O!L", &PyList_Type, &spans, &PyFrozenSet_Type,
                          &wanted[0], &PyFrozenSet_Type, &wanted[1], &least))
        return NULL;
    PyObject *found = Py_BuildValue("({}[][])");
    for (Py_ssize_t n = 0; found && n < PyList_GET_SIZE(spans); n++)
        if (look(PyList_GET_ITEM(spans, n), n, found, wanted, least, &end) < 0)
            Py_CLEAR(found);
    return found;
}

static int vr_of(PyObject *name)
{
    if (PyBytes_Check(name) && PyBytes_GET_SIZE(name) == 2) {
        int vr = letters((const unsigned char *)PyBytes_AS_STRING(name));
        if (vr >= 0)
            return vr;
    }
    PyErr_SetString(PyExc_ValueError, "no VR");
    return -1;
}

static void forget(Dictionary *dictionary)
{
    memset(dictionary->forms, ODD, sizeof dictionary->forms);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        dictionary->known[slot].vr = -1;
    dictionary->count = 0;
}

/* At most half of the slots are taken, so a search ends soon. */
static bool learn(Dictionary *dictionary, uint32_t tag, int vr)
{
    uint32_t slot = slot_of(tag);
    if (dictionary->count++ == SLOTS / 2)
        return false;
    while (dictionary->known[slot].vr >= 0)
        slot = (slot + 1) % SLOTS;
    dictionary->known[slot].tag = tag;
    dictionary->known[slot].vr = vr;
    return true;
}

static PyObject *py_learn(PyObject *module, PyObject *arguments)
{
    Dictionary *dictionary = &((State *)PyModule_GetState(module))->dictionary;
    PyObject *forms, *vrs, *key, *value;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyDict_Type, &forms, &PyDict_Type, &vrs))
        return NULL;
    forget(dictionary);
    for (Py_ssize_t at = 0; PyDict_Next(forms, &at, &key, &value);) {
        int vr = vr_of(key);
        if (vr < 0)
            return NULL;
        dictionary->forms[vr] = value == Py_True ? LONG : PLAIN;
    }
    for (Py_ssize_t at = 0; PyDict_Next(vrs, &at, &key, &value);) {
        uint32_t tag = (uint32_t)PyLong_AsUnsignedLong(key);
        int vr = PyErr_Occurred() ? -1 : vr_of(value);
        if (vr < 0)
            return NULL;
        if (!learn(dictionary, tag, vr))
            return PyErr_Format(PyExc_ValueError, "too many tags");
    }
    Py_RETURN_NONE;
}

static int begin(PyObject *module)
{
    State *state = PyModule_GetState(module);
    forget(&state->dictionary);
    for (int vr = 0; vr <= VRS; vr++) {
        char name[] = {(char)('A' + vr / 26), (char)('A' + vr % 26)};
        state->names[vr] = PyBytes_FromStringAndSize(name, vr == NO_VR ? 0 : 2);
        if (!state->names[vr])
            return -1;
    }
    return 0;
}

static void end(void *module)
{
    State *state = PyModule_GetState(module);
    for (int vr = 0; state && vr <= VRS; vr++)
        Py_CLEAR(state->names[vr]);
}

static PyMethodDef METHODS[] = {
    {"data_set", py_data_set, METH_VARARGS, "Read a data set: see Reader.data_set."},
    {"index", py_index, METH_VARARGS, "Sort spans out: see remediation.dicom.index."},
    {"learn", py_learn, METH_VARARGS, "Learn which VRs are long, and the VRs of tags."},
    {"meta", py_meta, METH_VARARGS, "Read group 0002: see Reader.meta."},
    {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot PARTS[] = {{Py_mod_exec, begin}, {0, NULL}};
static PyModuleDef MODULE = {.m_base = PyModuleDef_HEAD_INIT, .m_name = "_pass",
                             .m_doc = "The compiled pass of a crawl.",
                             .m_size = sizeof(State), .m_methods = METHODS, .m_slots = PARTS,
                             .m_free = end};

PyMODINIT_FUNC PyInit__pass(void)
{
    return PyModuleDef_Init(&MODULE);
}
