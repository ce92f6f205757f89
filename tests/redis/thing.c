#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>
typedef struct { uint64_t version; void *(*load)(void *, int); void (*save)(void *, void *);
  void (*rewrite)(void *, void *, void *); size_t (*usage)(const void *);
  void (*digest)(void *, void *); void (*release)(void *); } Methods;
static void (*SetModuleAttribs)(void *, const char *, int, int);
static void *(*CreateDataType)(void *, const char *, int, Methods *);
static int (*CreateCommand)(void *, const char *, int (*)(void *, void **, int), const char *, int, int, int);
static void *(*OpenKey)(void *, void *, int);
static int (*ModuleTypeSetValue)(void *, void *, void *);
static void (*CloseKey)(void *);
static int (*ReplyWithSimpleString)(void *, const char *);
static void (*SaveUnsigned)(void *, uint64_t);
static uint64_t (*LoadUnsigned)(void *);
static void *type;
static void *load(void *io, int version) { uint64_t *value = malloc(8); (void) version; *value = LoadUnsigned(io); return value; }
static void save(void *io, void *value) { SaveUnsigned(io, *(uint64_t *) value); }
static int set(void *ctx, void **argv, int argc) {
  uint64_t *value = malloc(8); void *key = OpenKey(ctx, argv[1], 3); (void) argc; *value = 7;
  ModuleTypeSetValue(key, type, value); CloseKey(key); return ReplyWithSimpleString(ctx, "OK"); }
int RedisModule_OnLoad(void *ctx, void **argv, int argc) {
  int (*api)(const char *, void *) = ((void **) ctx)[0]; (void) argv; (void) argc;
  api("RedisModule_SetModuleAttribs", &SetModuleAttribs); api("RedisModule_CreateDataType", &CreateDataType);
  api("RedisModule_CreateCommand", &CreateCommand); api("RedisModule_OpenKey", &OpenKey);
  api("RedisModule_ModuleTypeSetValue", &ModuleTypeSetValue); api("RedisModule_CloseKey", &CloseKey);
  api("RedisModule_ReplyWithSimpleString", &ReplyWithSimpleString);
  api("RedisModule_SaveUnsigned", &SaveUnsigned); api("RedisModule_LoadUnsigned", &LoadUnsigned);
  SetModuleAttribs(ctx, "thing", 1, 1);
  static Methods methods = {1, load, save, 0, 0, 0, free};
  type = CreateDataType(ctx, "thing-one", 0, &methods);
  return type ? CreateCommand(ctx, "thing.set", set, "write", 1, 1, 1) : 1; }
