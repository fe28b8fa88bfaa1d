"""Retention of the trail (R70): of its entries a signed Cut's may be deleted, and nothing else (R68).

A signature cannot be checked by a database: `verify` does. What the triggers see to is that nothing goes without a Cut,
and that a Cut ends at an entry and its checkpoint, and begins where the one before ended. Whoever makes one of these
tables anew on SQLite drops the triggers before, and makes them again.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

APPEND_ONLY = "the audit trail is append-only"
MISFIT = "a cut of the audit trail ends at a checkpoint and begins where the one before ended"

SQLITE = (
    "DROP TRIGGER audit_auditentry_DELETE",
    f"""
    CREATE TRIGGER audit_auditentry_DELETE BEFORE DELETE ON audit_auditentry
    WHEN NOT EXISTS (SELECT 1 FROM audit_cut WHERE workspace_id = OLD.workspace_id AND sequence >= OLD.sequence)
    BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END
    """,
    f"""
    CREATE TRIGGER audit_cut_INSERT BEFORE INSERT ON audit_cut
    WHEN NOT (
        NEW.since = coalesce((SELECT max(sequence) FROM audit_cut WHERE workspace_id = NEW.workspace_id), 0)
        AND NEW.sequence > NEW.since
        AND EXISTS (SELECT 1 FROM audit_auditentry
                    WHERE workspace_id = NEW.workspace_id AND sequence = NEW.sequence AND hash = NEW.hash)
        AND EXISTS (SELECT 1 FROM audit_checkpoint
                    WHERE workspace_id = NEW.workspace_id AND sequence = NEW.sequence AND hash = NEW.hash)
    )
    BEGIN SELECT RAISE(ABORT, '{MISFIT}'); END
    """,
    f"CREATE TRIGGER audit_cut_UPDATE BEFORE UPDATE ON audit_cut BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
    f"CREATE TRIGGER audit_cut_DELETE BEFORE DELETE ON audit_cut BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END",
)

# The tables are named with their schema: a temporary table of the same name must not stand for one of them.
POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_only_what_was_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE covered boolean;
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.audit_cut WHERE workspace_id = $1 AND sequence >= $2)',
                       TG_TABLE_SCHEMA) INTO covered USING OLD.workspace_id, OLD.sequence;
        IF NOT covered THEN RAISE EXCEPTION '{APPEND_ONLY}'; END IF;
        RETURN OLD;
    END $$
    """,
    f"""
    CREATE FUNCTION audit_cut_fits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    DECLARE fits boolean;
    BEGIN
        EXECUTE format(
            'SELECT $3 = coalesce((SELECT max(sequence) FROM %1$I.audit_cut WHERE workspace_id = $1), 0) AND $2 > $3
                AND EXISTS (SELECT 1 FROM %1$I.audit_auditentry WHERE workspace_id = $1 AND sequence = $2 AND hash = $4)
                AND EXISTS (SELECT 1 FROM %1$I.audit_checkpoint WHERE workspace_id = $1 AND sequence = $2 AND hash = $4)',
            TG_TABLE_SCHEMA) INTO fits USING NEW.workspace_id, NEW.sequence, NEW.since, NEW.hash;
        IF NOT fits THEN RAISE EXCEPTION '{MISFIT}'; END IF;
        RETURN NEW;
    END $$
    """,
    "DROP TRIGGER audit_auditentry_append_only ON audit_auditentry",
    """
    CREATE TRIGGER audit_auditentry_append_only BEFORE UPDATE OR TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
    """
    CREATE TRIGGER audit_auditentry_cut BEFORE DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_only_what_was_cut()
    """,
    """
    CREATE TRIGGER audit_cut_fits BEFORE INSERT ON audit_cut
    FOR EACH ROW EXECUTE FUNCTION audit_cut_fits()
    """,
    """
    CREATE TRIGGER audit_cut_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_cut
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
    """,
)


def protect(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_reading"),
        ("workspaces", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
                ("since", models.BigIntegerField()),
                ("oldest", models.DateTimeField()),
                ("newest", models.DateTimeField()),
                ("years", models.PositiveSmallIntegerField()),
                ("actor", models.CharField(max_length=100)),
                ("noted", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("signature", models.BinaryField(max_length=64)),
                ("public_key", models.CharField(max_length=64)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "sequence"), name="audit_cut_sequence")],
            },
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]
