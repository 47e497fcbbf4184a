from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0007_ledgerentry_os_account'),
    ]

    operations = [
        migrations.CreateModel(
            name='FailedSignIns',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField(help_text='When the hour began.')),
                ('name', models.CharField(help_text="An account's user name, or a digest of what was typed.", max_length=150)),
                ('is_account', models.BooleanField()),
                ('address', models.CharField(max_length=45)),
                ('failures', models.PositiveIntegerField(default=0, help_text='Wrong passwords.')),
                ('refusals', models.PositiveIntegerField(default=0, help_text='Attempts while locked out, not looked at.')),
                ('is_locked_out', models.BooleanField(default=False, help_text='Was locked out at some time in this hour.')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('hour', 'name', 'address'), name='failed_sign_ins_are_counted_once')],
            },
        ),
    ]
