{% set columns = ['id'] %}
select {% for column in columns %}{{ column }}{% endfor %} from {{ ref('one') }}
