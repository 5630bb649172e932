/* A layer in plain C, y = x², and one fault for each macro. */
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xmmintrin.h>

#include "framework/plugin/abi.h"

#ifndef PLUGIN
#define PLUGIN "faulty"
#endif
#ifndef VERSION
#define VERSION "1.0"
#endif
#ifndef LAYER
#define LAYER "Faulty"
#endif

static int fail(strata_error* error, int code, const char* message) {
  error->code = code;
  strncpy(error->message, message, sizeof error->message - 1);
  return code;
}

static int create(const strata_value* options, int64_t count, void** instance,
                  strata_error* error) {
  (void)options, (void)count, (void)error;
#ifdef FAILS_IN_SILENCE
  return 7;
#endif
#ifdef NO_INSTANCE
  return STRATA_OK;
#endif
#ifdef KEEPS_HISTORY
  *instance = calloc(1, sizeof(double));
#else
  static double nothing;
  *instance = &nothing;
#endif
  return STRATA_OK;
}
static void destroy(void* instance) {
#ifdef KEEPS_HISTORY
  free(instance);
#endif
  (void)instance;
}

static int infer(const void* instance, const strata_input* inputs, int64_t count, strata_plan* plan,
                 strata_error* error) {
  (void)instance;
  if (count != 1) return fail(error, STRATA_INVALID, "it takes one value");
  strata_shape shape = inputs[0].shape;
#ifdef WRONG_SHAPE
  shape.rank = 9;
#endif
#ifdef NEGATIVE_SHAPE
  shape.dims[0] = -4;
#endif
#ifdef HUGE_BUFFER
  plan->add_saved(plan->host, -1, INT64_MAX);
#endif
#ifdef NULL_STATE
  plan->add_state(plan->host, NULL, &shape, 0);
#endif
#ifndef NO_OUTPUT
  plan->add_output(plan->host, &shape);
#endif
  plan->set_flags(plan->host, STRATA_NEEDS_INPUT);
  plan->set_flops(plan->host, 1);
  return STRATA_OK;
}

static int64_t elements(const strata_layer_pass* pass) {
  int64_t n = pass->batch;
  for (int64_t i = 0; i < pass->input_shapes[0].rank; ++i) n *= pass->input_shapes[0].dims[i];
  return n;
}

#ifdef UNDEFINED
extern double no_such_function(double);
#endif

#ifdef SWALLOWS_NAN
#define SQUARE(x) ((x) == (x) ? (x) * (x) : 0)
#else
#define SQUARE(x) ((x) * (x))
#endif
#ifdef OVERWRITES_GRADIENT
#define ADD =
#else
#define ADD +=
#endif
#define DEFINE_PASSES(T, suffix)                                                               \
  static void forward_##suffix(const strata_layer_pass* pass, int64_t n, T factor, T offset) { \
    const T* x = (const T*)pass->inputs[0];                                                    \
    T* y = (T*)pass->outputs[0];                                                               \
    for (int64_t i = 0; i < n; ++i) y[i] = factor * SQUARE(x[i]) + offset;                     \
  }                                                                                            \
  static void backward_##suffix(const strata_layer_pass* pass, int64_t n, T factor) {          \
    const T* x = (const T*)pass->inputs[0];                                                    \
    const T* dy = (const T*)pass->d_outputs[0];                                                \
    T* dx = (T*)pass->d_inputs[0];                                                             \
    for (int64_t i = 0; dx && i < n; ++i) dx[i] ADD 2 * factor* x[i] * dy[i];                  \
  }
DEFINE_PASSES(float, f32)
DEFINE_PASSES(double, f64)

#ifdef DEPENDS_ON_THREADS
static int same_thread(void) {
  static _Thread_local char here;
  static char* volatile first;
  if (!first) first = &here;
  return first == &here;
}
static void look(void* others, int64_t task) {
  (void)task;
  usleep(100);
  if (!same_thread()) *(volatile int*)others = 1;
}
#endif

#if defined(CRASHES_AT_NAN) || defined(OVERRUNS_AT_NAN)
static int has_nan(const strata_layer_pass* pass) {
  for (int64_t i = 0; i < elements(pass); ++i) {
    const double x = pass->dtype == STRATA_F32 ? ((const float*)pass->inputs[0])[i]
                                               : ((const double*)pass->inputs[0])[i];
    if (x != x) return 1;
  }
  return 0;
}
#endif

#ifdef KEEPS_HISTORY
/* A scale that the first batch decides, and that is no state. */
static double scale_of(const void* instance, const strata_layer_pass* pass) {
  double* scale = (double*)instance;
  if (*scale == 0) {
    const double first = pass->dtype == STRATA_F32 ? *(const float*)pass->inputs[0]
                                                   : *(const double*)pass->inputs[0];
    *scale = 1 + fabs(first);
  }
  return *scale;
}
#endif

static int forward(const void* instance, const strata_layer_pass* pass, strata_error* error) {
  (void)instance, (void)error;
  int64_t n = elements(pass);
  double factor = 1, offset = 0;
#ifdef KEEPS_HISTORY
  factor = scale_of(instance, pass);
#endif
#ifdef DEPENDS_ON_PRECISION
  if (pass->dtype == STRATA_F32) offset = 0.01;
#endif
#ifdef DEPENDS_ON_THREADS
  int others = 0;
  (void)same_thread();
  if (pass->batch > 100) pass->services->parallel(pass->host, 64, &look, &others);
  offset = others;
#endif
#ifdef CHANGES_ARITHMETIC
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
#ifdef CHANGES_LOCALE
  setlocale(LC_ALL, "C");
  setlocale(LC_NUMERIC, "C.UTF-8");
#endif
#ifdef HANDLES_SIGNALS
  signal(SIGTERM, SIG_IGN);
#endif
#ifdef CHANGES_FOLDER
  if (chdir("/") != 0) return STRATA_INTERNAL;
#endif
#ifdef CHANGES_MASK
  umask(0);
#endif
#ifdef CLOSES_OUTPUT
  close(1);
#endif
#ifdef OVERRUNS
  n += 1;
#endif
#ifdef OVERRUNS_AT_NAN
  n += has_nan(pass);
#endif
#ifdef CRASHES_AT_NAN
  if (has_nan(pass)) *(volatile int*)NULL = 1;
#endif
#ifdef OVERRUNS_AND_CRASHES
  n += 1;
  if (pass->batch > 2) *(volatile int*)NULL = 1;
#endif
#ifdef WRITES_NAN
  offset = NAN;
#endif
#ifdef NOT_DETERMINISTIC
  static double calls;
  offset = ++calls;
#endif
#ifdef CRASHES
  *(volatile int*)NULL = 1;
#endif
#ifdef HANGS
  for (;;) sleep(1);
#endif
#ifdef ENDS
  exit(0);
#endif
#ifdef UNDEFINED
  offset = no_such_function(offset);
#endif
  if (pass->dtype == STRATA_F32)
    forward_f32(pass, n, (float)factor, (float)offset);
  else
    forward_f64(pass, n, factor, offset);
  return STRATA_OK;
}

static int backward(const void* instance, const strata_layer_pass* pass, strata_error* error) {
  (void)instance, (void)error;
  double factor = 1;
#ifdef KEEPS_HISTORY
  factor = scale_of(instance, pass);
#endif
#ifdef WRONG_GRADIENT
  factor = 1.001;
#endif
  if (pass->dtype == STRATA_F32)
    backward_f32(pass, elements(pass), (float)factor);
  else
    backward_f64(pass, elements(pass), factor);
  return STRATA_OK;
}

/* Options of a header that is newer than the host's have more behind what both know. */
typedef struct long_option {
  strata_option option;
  int64_t more[3];
} long_option;

static const long_option kOptions[] = {
    {{sizeof(long_option),
      "first",
      "is not used",
      STRATA_FLOAT,
      0,
      0,
      -1,
#ifdef DEFAULT_OUT_OF_RANGE
      {sizeof(strata_value), STRATA_FLOAT, 0, 7.0, NULL, NULL, 0, NULL},
#else
      {sizeof(strata_value), STRATA_FLOAT, 0, 0.5, NULL, NULL, 0, NULL},
#endif
      0,
      1,
      NULL,
      0},
     {1, 2, 3}},
    {{sizeof(long_option),
#ifdef OPTION_TWICE
      "first",
#else
      "second",
#endif
      "is not used either",
      STRATA_INT,
      0,
      0,
      -1,
      {sizeof(strata_value), STRATA_INT, 3, 0, NULL, NULL, 0, NULL},
      -INFINITY,
      INFINITY,
      NULL,
      0},
     {1, 2, 3}},
};
static const strata_schema kSchema = {sizeof(strata_schema),
#ifdef EMPTY_SCHEMA
                                      "",
                                      "",
#else
                                      "The square of each value.",
                                      LAYER,
#endif
                                      &kOptions[0].option,
                                      2,
                                      NULL,
                                      0,
                                      0,
                                      NULL,
                                      NULL,
                                      0};
static const strata_layer kFunctions = {sizeof(strata_layer), &infer, &forward,
#ifdef NULL_FUNCTION
                                        NULL
#else
                                        &backward
#endif
};
static const strata_entry kEntry = {sizeof(strata_entry),
#ifdef UNKNOWN_KIND
                                    77,
#else
                                    STRATA_LAYER,
#endif
#ifdef NULL_NAME
                                    NULL,
#else
                                    LAYER,
#endif
                                    &kSchema,
                                    &create,
                                    &destroy,
                                    &kFunctions};
static const strata_entry* const kEntries[] = {&kEntry};

#ifdef DIES_LOADING
__attribute__((constructor)) static void die(void) { abort(); }
#endif
#ifdef STOPS_LOADING
__attribute__((constructor)) static void stop(void) { raise(SIGSTOP); }
#endif
#ifdef CLOSES_EVERYTHING
__attribute__((constructor)) static void close_all(void) {
  for (int file = 0; file < 1024; ++file) close(file);
}
#endif
#ifdef PRINTS
__attribute__((constructor)) static void print(void) {
  printf("thank you for loading %s", LAYER);
  if (write(1, "{\n", 2) != 2) abort();
}
#endif
#ifdef SIGNALS_PARENT
__attribute__((constructor)) static void signal_parent(void) { kill(getppid(), SIGNALS_PARENT); }
#endif
#ifdef SIGNALS_GROUP
__attribute__((constructor)) static void signal_group(void) { kill(0, SIGNALS_GROUP); }
#endif
#ifdef FORKS
__attribute__((constructor)) static void go_twice(void) { (void)!fork(); }
#endif

#ifndef NO_TAG
#ifdef WRONG_MAJOR
const strata_tag strata_plugin_tag = {STRATA_TAG_MAGIC, sizeof(strata_tag), 0, 9, 0, PLUGIN,
                                      VERSION};
#elif defined(NEXT_MAJOR)
const strata_tag strata_plugin_tag = {STRATA_TAG_MAGIC, sizeof(strata_tag), 2, 0, 0, PLUGIN,
                                      VERSION};
#elif defined(NEWER_MINOR)
const strata_tag strata_plugin_tag = {
    STRATA_TAG_MAGIC, sizeof(strata_tag), STRATA_ABI_MAJOR, STRATA_ABI_MINOR + 1, 0, PLUGIN,
    VERSION};
#else
const strata_tag strata_plugin_tag = STRATA_TAG(PLUGIN, VERSION);
#endif
#endif

#ifndef NO_ENTRIES
int strata_plugin_entries(strata_library* library, strata_error* error) {
#ifdef CANNOT_SAY
  return fail(error, STRATA_INTERNAL, "the moon is full");
#endif
  (void)error;
  library->entries = kEntries;
  library->entry_count = 1;
#ifdef OFFERS_NOTHING
  library->entry_count = 0;
#endif
  return STRATA_OK;
}
#endif
